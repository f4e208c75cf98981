import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { openDirectoryTree } from '../../src/image/stored/directory-tree.ts';
import { openOciLayoutSink } from '../../src/image/stored/oci-layout-sink.ts';
import { ociLayoutSource } from '../../src/image/stored/oci-layout-source.ts';
import { defaultPlatform } from '../../src/image/select-manifest.ts';
import { startRegistryServer } from '../../src/registry/server/registry-server.ts';
import { writeSampleImage } from '../support/sample-image.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';
import { labBin, requireRoot, requireTool } from '../support/tool.ts';

const test = suite('real clients');
const run = promisify(execFile);

test('skopeo copies an image in and out again with equal digests', async () => {
  const skopeo = requireTool('skopeo');
  await using scratch = await scratchDirectory();
  const [from, to] = [path.join(scratch.path, 'from'), path.join(scratch.path, 'to')];
  const { digest, layers } = await writeSampleImage(await openOciLayoutSink(from, 'x'));
  await using server = await startRegistryServer({ directory: path.join(scratch.path, 'registry') });
  const remote = `docker://${server.address}/acme/app:1`;
  await run(skopeo, ['copy', '--quiet', '--dest-tls-verify=false', `oci:${from}:x`, remote]);
  await run(skopeo, ['copy', '--quiet', '--src-tls-verify=false', remote, `oci:${to}:x`]);
  const selection = { platform: defaultPlatform, flavour: 'plain', tag: 'x' } as const;
  await using copy = ociLayoutSource(await openDirectoryTree(to), 'copy', selection);
  const image = await copy.resolve();
  assert.equal(image.digest, digest);
  for (const layer of image.manifest.layers) for await (const _ of copy.readBlob(layer));
  const { requests } = await server.meter.since(0);
  const pulled = requests.filter((r) => r.method === 'GET' && r.class === 'layer');
  assert.equal(
    pulled.reduce((sum, r) => sum + r.bodyBytes, 0),
    layers.reduce((sum, layer) => sum + layer.size, 0),
  );
});

test('skopeo logs in with a user name, by basic and by token', async () => {
  const skopeo = requireTool('skopeo');
  await using scratch = await scratchDirectory();
  const from = path.join(scratch.path, 'from');
  await writeSampleImage(await openOciLayoutSink(from, 'x'));
  for (const kind of ['basic', 'bearer'] as const) {
    const directory = path.join(scratch.path, kind);
    await using server = await startRegistryServer({
      directory,
      auth: { kind, username: 'ann', password: 'pw' },
    });
    const copy = (who: string): Promise<unknown> => {
      const to = `docker://${server.address}/acme/app:1`;
      return run(skopeo, [
        'copy',
        '--quiet',
        '--dest-tls-verify=false',
        '--dest-creds',
        who,
        `oci:${from}:x`,
        to,
      ]);
    };
    await copy('ann:pw');
    await assert.rejects(copy('ann:wrong'), /unauthorized|authentication|401/iu);
  }
});

test(
  "containerd's ctr pulls and unpacks an image over plain HTTP",
  async ({ signal }) => {
    requireRoot();
    const [containerd, ctr] = [requireTool('containerd'), requireTool('ctr')];
    await using scratch = await scratchDirectory();
    await using server = await startRegistryServer({ directory: path.join(scratch.path, 'registry') });
    const { digest } = await writeSampleImage(server.sink('acme/app', '1'));
    const at = (name: string): string => path.join(scratch.path, name);
    const socket = at('containerd.sock');
    const config = `version = 3\nroot = "${at('root')}"\nstate = "${at('state')}"\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]\n[grpc]\naddress = "${socket}"\n[ttrpc]\naddress = "${at('ttrpc.sock')}"\n`;
    await writeFile(at('config.toml'), config);
    const daemon = spawn(containerd, ['--config', at('config.toml')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH: `${labBin}:${process.env['PATH'] ?? ''}` },
    });
    const exited = once(daemon, 'exit');
    try {
      let log = '';
      for await (const text of daemon.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
        log += String(text);
        if (log.includes('containerd successfully booted')) break;
      }
      daemon.stderr.resume();
      assert.match(log, /successfully booted/u, log.slice(-2000));
      const control = (...command: string[]): Promise<{ stdout: string }> =>
        run(ctr, ['--address', socket, ...command], { signal });
      const image = `${server.address}/acme/app:1`;
      await control(
        'images',
        'pull',
        '--local',
        '--plain-http',
        '--snapshotter',
        'native',
        '--platform',
        'linux/amd64',
        image,
      );
      const { stdout } = await control('images', 'ls');
      assert.ok(stdout.includes(image) && stdout.includes(digest), stdout);
    } finally {
      daemon.kill();
      await exited;
    }
  },
  { limitMs: 60_000 },
);
