import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { modelArrivals, type ModelConnection } from '../../../src/embedded/link/link-model.ts';
import { startShapedLink, type ShapedLink } from '../../../src/embedded/link/shaped-link.ts';
import type { Link } from '../../../src/scenario/scenario.ts';
import { systemClock } from '../../../src/units/system-clock.ts';
import { suite } from '../../support/suite.ts';

const test = suite('shaped link');

/** A server that answers `GET /N` with N bytes at once. */
async function startBytesServer(): Promise<{ port: number } & AsyncDisposable> {
  const server = http.createServer((request, response) => {
    const sizeBytes = Number(request.url?.slice(1));
    response.writeHead(200, { 'content-length': sizeBytes });
    response.end(Buffer.alloc(sizeBytes, 7));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Does on the real link what the model reckons: requests one after the other on one connection. */
async function drive(link: ShapedLink, connection: ModelConnection, originNs: bigint): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const finished: number[] = [];
  try {
    for (const { responseBytes } of connection.requests) {
      const request = http.get({
        agent,
        host: link.host,
        port: link.port,
        path: `/${String(responseBytes)}`,
      });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let receivedBytes = 0;
      for await (const chunk of response as AsyncIterable<Uint8Array>) receivedBytes += chunk.length;
      assert.equal(receivedBytes, responseBytes);
      finished.push(Number(systemClock.monotonicNs() - originNs) / 1e6);
    }
  } finally {
    agent.destroy();
  }
  return finished;
}

/** How much longer each connection took on the real link than the model says: 1 = exactly as long. */
async function measureRatios(link: Link, connections: readonly ModelConnection[]): Promise<number[]> {
  await using server = await startBytesServer();
  await using real = await startShapedLink({
    link,
    target: { host: '127.0.0.1', port: server.port },
    clock: systemClock,
  });
  const originNs = systemClock.monotonicNs();
  const measured = await Promise.all(connections.map((one) => drive(real, one, originNs)));
  const model = modelArrivals(link, connections).map((arrivals) => arrivals.at(-1)?.lastByteMs ?? NaN);
  // Connections that ask at the same instant are served in an order of the kernel's own.
  model.sort((a, b) => a - b);
  return measured
    .map((times) => times.at(-1) ?? NaN)
    .sort((a, b) => a - b)
    .map((lastMs, k) => lastMs / (model[k] ?? NaN));
}

/**
 * A busy machine only ever adds time: the link must never be faster than the model, and within a tenth of it in the
 * best of a few tries.
 */
async function compare(link: Link, connections: readonly ModelConnection[]): Promise<void> {
  const tries: string[] = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const ratios = await measureRatios(link, connections);
    tries.push(ratios.map((ratio) => ratio.toFixed(3)).join(', '));
    assert.ok(Math.min(...ratios) > 0.97, `faster than the model: ${tries.join(' | ')}`);
    if (Math.max(...ratios) < 1.1) return;
  }
  assert.fail(`slower than the model in every try: ${tries.join(' | ')}`);
}

test('one long download takes as long as the model says', async () => {
  await compare({ rateBytesPerSecond: 20e6, latencyMs: 5, maxConnections: 4 }, [
    { startMs: 0, requests: [{ responseBytes: 10e6 }] },
  ]);
});

test('many small requests on one connection pay the latency the model says', async () => {
  await compare({ rateBytesPerSecond: 50e6, latencyMs: 10, maxConnections: 4 }, [
    { startMs: 0, requests: Array.from({ length: 20 }, () => ({ responseBytes: 50_000 })) },
  ]);
});

test('connections share the rate as fairly as the model does', async () => {
  await compare({ rateBytesPerSecond: 40e6, latencyMs: 2, maxConnections: 8 }, [
    { startMs: 0, requests: [{ responseBytes: 4e6 }] },
    { startMs: 0, requests: [{ responseBytes: 8e6 }] },
    { startMs: 0, requests: [{ responseBytes: 4e6 }, { responseBytes: 4e6 }] },
  ]);
});

test('a connection beyond the limit waits for one to close', async () => {
  const one = { startMs: 0, requests: [{ responseBytes: 4e6 }] };
  await compare({ rateBytesPerSecond: 20e6, latencyMs: 2, maxConnections: 1 }, [one, one]);
});

test('every byte of both directions is counted once', async () => {
  await using server = await startBytesServer();
  await using link = await startShapedLink({
    link: { rateBytesPerSecond: 100e6, latencyMs: 1, maxConnections: 4 },
    target: { host: '127.0.0.1', port: server.port },
    clock: systemClock,
  });
  const socket = net.connect(link.port, link.host);
  const request = 'GET /100000 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  socket.write(request);
  let receivedBytes = 0;
  for await (const chunk of socket as AsyncIterable<Uint8Array>) receivedBytes += chunk.length;
  assert.ok(receivedBytes > 100_000);
  assert.deepEqual(link.counters(), { rxBytes: receivedBytes, txBytes: request.length });
});

test('a reader that stops reading stops only its own download', async () => {
  await using server = await startBytesServer();
  await using link = await startShapedLink({
    link: { rateBytesPerSecond: 200e6, latencyMs: 0, maxConnections: 4 },
    target: { host: '127.0.0.1', port: server.port },
    clock: systemClock,
  });
  const stuck = net.connect(link.port, link.host);
  stuck.pause();
  stuck.write('GET /100000000 HTTP/1.1\r\nhost: x\r\n\r\n');
  const originNs = systemClock.monotonicNs();
  const [elapsedMs = NaN] = await drive(link, { startMs: 0, requests: [{ responseBytes: 20e6 }] }, originNs);
  assert.ok(elapsedMs < 2000, `${String(elapsedMs)} ms`);
  assert.ok(link.counters().rxBytes < 60e6, 'the stuck download went on');
  stuck.destroy();
});

test('disposing the link cuts downloads and waiting connections', async () => {
  await using server = await startBytesServer();
  const link = await startShapedLink({
    link: { rateBytesPerSecond: 1e5, latencyMs: 1, maxConnections: 1 },
    target: { host: '127.0.0.1', port: server.port },
    clock: systemClock,
  });
  const connections: ModelConnection = { startMs: 0, requests: [{ responseBytes: 1e6 }] };
  const running = [drive(link, connections, 0n), drive(link, connections, 0n)];
  const settled = Promise.allSettled(running);
  const probe = net.connect(link.port, link.host);
  await once(probe, 'connect');
  await link[Symbol.asyncDispose]();
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(link.openConnections, 0);
  probe.destroy();
});

test('a registry that is not there ends the connection instead of hanging it', async () => {
  await using link = await startShapedLink({
    link: { rateBytesPerSecond: 1e6, latencyMs: 1, maxConnections: 1 },
    target: { host: '127.0.0.1', port: 1 },
    clock: systemClock,
  });
  const socket = net.connect(link.port, link.host);
  socket.on('error', () => undefined);
  await once(socket, 'close');
  assert.equal(link.openConnections, 0);
});
