// Throughput of 1 MiB range requests: the embedded registry against nginx serving the same file, alternating in one run.
// `node test/bench/registry-throughput.ts [ROUNDS]`; goal: at least half of nginx.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { RegistryStorage } from '../../src/registry/server/registry-storage.ts';
import { sha256Digest } from '../../src/image/verified-blob.ts';
import { noise, streamOf } from '../support/sample-image.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { requireTool } from '../support/tool.ts';

const rounds = Number(process.argv[2] ?? 6);
const rangeBytes = 1 << 20;
const blobBytes = 128 * rangeBytes;
const connections = 4;
const requestsPerRound = 1024;

/** Sends range requests one after another on a plain socket, and drops the bodies: the client must not be the limit. */
async function drive(socket: Socket, host: string, target: string, requests: number): Promise<void> {
  let left = requests;
  let expected = 0;
  let header = '';
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const ask = (): void => {
    const first = (left * 7919 * rangeBytes) % (blobBytes - rangeBytes);
    socket.write(
      `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nrange: bytes=${first}-${first + rangeBytes - 1}\r\n\r\n`,
    );
  };
  const onData = (data: Buffer): void => {
    let body = data.length;
    if (expected === 0) {
      header += data.toString('latin1');
      const end = header.indexOf('\r\n\r\n');
      if (end === -1) return;
      if (
        !header.startsWith('HTTP/1.1 206') ||
        !header.toLowerCase().includes(`content-length: ${rangeBytes}\r\n`)
      )
        reject(new Error(`unexpected answer: ${header.slice(0, 200)}`));
      body = header.length - end - 4;
      header = '';
      expected = rangeBytes;
    }
    expected -= body;
    if (expected !== 0) return;
    left -= 1;
    if (left === 0) resolve(undefined);
    else ask();
  };
  socket.on('data', onData);
  socket.once('error', reject);
  ask();
  await promise;
  socket.off('data', onData);
  socket.off('error', reject);
}

async function rateOf(address: string, target: string): Promise<number> {
  const [host = '', port = ''] = address.split(':');
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(Number(port), host);
      await once(socket, 'connect');
      return socket;
    }),
  );
  const start = performance.now();
  await Promise.all(sockets.map((socket) => drive(socket, address, target, requestsPerRound / connections)));
  const seconds = (performance.now() - start) / 1000;
  for (const socket of sockets) socket.destroy();
  return (requestsPerRound * rangeBytes) / seconds;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (typeof bound !== 'object' || bound === null) throw new Error('no port');
  return bound.port;
}

async function startNginx(
  root: string,
  directory: string,
): Promise<{ process: ChildProcess; address: string }> {
  const port = await freePort();
  const config = path.join(directory, 'nginx.conf');
  await writeFile(
    config,
    `worker_processes 1; daemon off; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events {} http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
client_body_temp_path ${directory}/t1; proxy_temp_path ${directory}/t2; fastcgi_temp_path ${directory}/t3;
uwsgi_temp_path ${directory}/t4; scgi_temp_path ${directory}/t5;
server { listen 127.0.0.1:${port}; root ${root}; } }`,
  );
  const nginx = spawn(requireTool('nginx'), ['-c', config, '-e', path.join(directory, 'error.log')], {
    stdio: 'inherit',
  });
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isUp = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isUp) return { process: nginx, address: `127.0.0.1:${port}` };
    if (nginx.exitCode !== null) throw new Error('nginx did not start');
  }
}

await using scratch = await scratchDirectory();
const directory = path.join(scratch.path, 'registry');
const blob = noise('bench', blobBytes);
const digest = sha256Digest(blob);
const storage = await RegistryStorage.open(directory);
const sink = storage.sink('bench', '1');
await sink.writeBlob({ mediaType: 'application/octet-stream', digest, size: blobBytes }, streamOf(blob));
const nginxDirectory = path.join(scratch.path, 'nginx');
await mkdir(nginxDirectory);
// nginx's worker is another user, who must be able to reach the file.
await chmod(scratch.path, 0o755);
const nginx = await startNginx(path.join(directory, 'blobs/sha256'), nginxDirectory);
const ours = spawn(process.execPath, [path.join(import.meta.dirname, 'serve-registry.ts'), directory], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const [printed] = (await once(ours.stdout, 'data')) as [Buffer];
  const address = printed.toString().trim();
  const subjects = [
    { name: 'registry', address, target: `/v2/bench/blobs/${digest}` },
    { name: 'nginx', address: nginx.address, target: `/${digest.slice('sha256:'.length)}` },
  ];
  for (const { address: at, target } of subjects) await rateOf(at, target);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const rates = new Map<string, number>();
    for (const { name, address: at, target } of round % 2 === 0 ? subjects : subjects.toReversed())
      rates.set(name, await rateOf(at, target));
    const [registry = 0, other = 1] = [rates.get('registry'), rates.get('nginx')];
    ratios.push(registry / other);
    console.log(
      `round ${round + 1}: registry ${(registry / 2 ** 20).toFixed(0)} MiB/s, nginx ${(other / 2 ** 20).toFixed(0)} MiB/s, ratio ${(registry / other).toFixed(2)}`,
    );
  }
  const sorted = ratios.toSorted((a, b) => a - b);
  const median = ((sorted[(rounds - 1) >> 1] ?? 0) + (sorted[rounds >> 1] ?? 0)) / 2;
  console.log(`registry / nginx, 1 MiB ranges: median ratio ${median.toFixed(2)} (goal >= 0.5)`);
  process.exitCode = median >= 0.5 ? 0 : 1;
} finally {
  ours.kill('SIGTERM');
  nginx.process.kill('SIGTERM');
  await Promise.all([once(ours, 'exit'), once(nginx.process, 'exit')]);
}
