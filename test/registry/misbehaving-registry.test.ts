import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent } from 'undici';
import { HarnessError } from '../../src/errors/harness-error.ts';
import type { ErrorCode } from '../../src/errors/definitions.ts';
import { sha256Digest } from '../../src/image/verified-blob.ts';
import { Authorizer } from '../../src/registry/client/authorizer.ts';
import { RegistryClient, type RegistryClientOptions } from '../../src/registry/client/registry-client.ts';
import type { Clock } from '../../src/units/clock.ts';
import { systemClock } from '../../src/units/system-clock.ts';
import { noise } from '../support/sample-image.ts';
import { suite } from '../support/suite.ts';

const test = suite('misbehaving registry');
const bytes = noise('blob', 500_000);
const blob = { digest: sha256Digest(bytes), size: bytes.length };
const ann = { kind: 'basic', username: 'ann', password: 'open sesame' } as const;

type Handler = (request: IncomingMessage, response: ServerResponse, seen: IncomingMessage[]) => void;

/** A server on loopback that answers as the test says. */
async function serve(
  handler: Handler,
): Promise<{ address: string; seen: IncomingMessage[] } & AsyncDisposable> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    handler(request, response, seen);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  return {
    address: `127.0.0.1:${bound.port}`,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const clientOf = (address: string, options: RegistryClientOptions = {}): RegistryClient =>
  new RegistryClient(address, { credentials: () => Promise.resolve(ann), ...options });

const readBlob = async (client: RegistryClient, range?: { first: number; last: number }): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of client.readBlob('acme/app', blob, { range })) pieces.push(piece);
  return Buffer.concat(pieces);
};

const failsWith = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HarnessError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.ok(!JSON.stringify(error).includes('sesame'), 'a credential is shown');
  return true;
};

/** A clock that never waits, and remembers for how long it would have. */
const impatientClock = (): Clock & { waitsMs: number[] } => {
  const waitsMs: number[] = [];
  return { ...systemClock, waitsMs, sleep: (durationMs) => Promise.resolve(void waitsMs.push(durationMs)) };
};

test('a blob with other bytes is a digest mismatch, and so is a manifest', async () => {
  const other = Buffer.from(bytes);
  other.writeUInt8(other.readUInt8(77) ^ 1, 77);
  await using server = await serve((_, response) => response.end(other));
  await using client = clientOf(server.address);
  await assert.rejects(readBlob(client), failsWith('DIGEST_MISMATCH', /acme\/app.*should have the digest/u));
  await assert.rejects(
    client.manifest('acme/app', blob.digest),
    failsWith('DIGEST_MISMATCH', /should have/u),
  );
});

test('a connection that breaks is resumed where it broke', async () => {
  await using server = await serve((request, response, seen) => {
    const [, first = '0'] = /^bytes=(\d+)-/u.exec(request.headers.range ?? '') ?? [];
    const rest = bytes.subarray(Number(first));
    const partial = request.headers.range !== undefined;
    response.writeHead(partial ? 206 : 200, {
      'content-length': rest.length,
      ...(partial ? { 'content-range': `bytes ${first}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (seen.length < 4) response.write(rest.subarray(0, 100_000), () => response.destroy());
    else response.end(rest);
  });
  await using client = clientOf(server.address);
  assert.ok((await readBlob(client)).equals(bytes));
  assert.ok(server.seen.length >= 4);
  assert.match(String(server.seen[1]?.headers.range), /^bytes=\d+-499999$/u);
});

test('a connection that always breaks at once ends with an error', async () => {
  await using server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write('', () => response.destroy());
    response.flushHeaders();
  });
  await using client = clientOf(server.address);
  await assert.rejects(readBlob(client), failsWith('REGISTRY_UNAVAILABLE', /broke 3 times|does not answer/u));
});

test('a body that ends too early in good order is a truncated blob', async () => {
  await using server = await serve((_, response) => response.end(bytes.subarray(0, 1000)));
  await using client = clientOf(server.address);
  await assert.rejects(
    readBlob(client),
    failsWith('IMAGE_CORRUPT', /truncated: the registry has 1000 of 500000/u),
  );
});

test('a server that ignores ranges, refuses them, or sends others', async () => {
  const range = { first: 1000, last: 1999 };
  await using ignoring = await serve((_, response) => response.end(bytes));
  await using one = clientOf(ignoring.address);
  assert.ok((await readBlob(one, range)).equals(bytes.subarray(1000, 2000)));
  await using refusing = await serve((_, response) => response.writeHead(416).end());
  await using two = clientOf(refusing.address);
  await assert.rejects(readBlob(two, range), failsWith('IMAGE_CORRUPT', /no byte 1000/u));
  await using other = await serve((_, response) =>
    response.writeHead(206, { 'content-range': 'bytes 0-999/500000' }).end(bytes.subarray(0, 1000)),
  );
  await using three = clientOf(other.address);
  await assert.rejects(readBlob(three, range), failsWith('REGISTRY_UNAVAILABLE', /from 0 where 1000/u));
});

test('a registry that answers every login with a challenge is left after a few tries', async () => {
  for (const challenge of ['Basic realm="x"', 'Bearer realm="REALM/token",service="s"', 'Negotiate', '']) {
    await using server = await serve((request, response) => {
      if (request.url?.startsWith('/token') === true) return void response.end('{"token":"t"}');
      const realm = `http://${String(request.headers.host)}`;
      response.writeHead(401, { 'www-authenticate': challenge.replace('REALM', realm) }).end();
    });
    await using client = clientOf(server.address);
    await assert.rejects(readBlob(client), failsWith('REGISTRY_UNAUTHORIZED', /acme\/app/u));
    assert.ok(server.seen.length <= 7, `${challenge}: ${server.seen.length} requests`);
  }
});

test('a redirect to another origin does not get the credentials; a relative one does', async () => {
  await using store = await serve((_, response) => response.end(bytes));
  await using server = await serve((request, response) => {
    if (request.headers.authorization === undefined)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    if (request.url === '/elsewhere')
      return void response.writeHead(307, { location: `http://${store.address}/b` }).end();
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  await using client = clientOf(server.address);
  assert.ok((await readBlob(client)).equals(bytes));
  assert.deepEqual(
    store.seen.map((request) => request.headers.authorization),
    [undefined],
  );
  assert.match(String(server.seen.at(-1)?.headers.authorization), /^Basic /u);
});

test('redirects that go round end', async () => {
  await using server = await serve((_, response) => response.writeHead(302, { location: '/round' }).end());
  await using client = clientOf(server.address);
  await assert.rejects(readBlob(client), failsWith('REGISTRY_UNAVAILABLE', /redirects more than/u));
});

test('429 is waited out as long as the registry asks, within bounds', async () => {
  const clock = impatientClock();
  await using patient = await serve((_, response, seen) =>
    seen.length < 3 ? response.writeHead(429, { 'retry-after': '7' }).end() : response.end(bytes),
  );
  await using one = clientOf(patient.address, { clock });
  assert.ok((await readBlob(one)).equals(bytes));
  assert.deepEqual(clock.waitsMs, [7000, 7000]);
  await using endless = await serve((_, response) =>
    response.writeHead(429, { 'retry-after': '3600' }).end(),
  );
  await using two = clientOf(endless.address, { clock });
  await assert.rejects(readBlob(two), failsWith('REGISTRY_RATE_LIMITED', /asks to wait 3600 s/u));
  await using stubborn = await serve((_, response) => response.writeHead(429).end());
  await using three = clientOf(stubborn.address, { clock });
  await assert.rejects(readBlob(three), failsWith('REGISTRY_RATE_LIMITED', /limits our requests/u));
  assert.equal(stubborn.seen.length, 4);
});

test('a registry that never answers, is not there, or fails, is unavailable', async () => {
  await using silent = await serve(() => undefined);
  await using one = clientOf(silent.address, { patience: { timeoutMs: 100 } });
  await assert.rejects(readBlob(one), failsWith('REGISTRY_UNAVAILABLE', /took too long/u));
  const { address } = silent;
  await silent[Symbol.asyncDispose]();
  await using two = clientOf(address);
  await assert.rejects(two.ping(), failsWith('REGISTRY_UNAVAILABLE', /refused/u));
  await using broken = await serve((_, response) => response.writeHead(500).end());
  await using three = clientOf(broken.address, { clock: impatientClock() });
  await assert.rejects(three.ping(), failsWith('REGISTRY_UNAVAILABLE', /500/u));
});

test('a token is asked for once, however many requests wait for it, and again when it has expired', async () => {
  let nowNs = 0n;
  const clock: Clock = { ...systemClock, monotonicNs: () => nowNs };
  let issued = 0;
  await using server = await serve((request, response) => {
    if (request.url?.startsWith('/token') === true) {
      issued += 1;
      return void response.end(JSON.stringify({ access_token: `t${issued}`, expires_in: 60 }));
    }
    if (request.headers.authorization === `Bearer t${issued}` && issued > 0) return void response.end(bytes);
    const realm = `http://${String(request.headers.host)}/token`;
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end();
  });
  await using client = clientOf(server.address, { clock });
  await Promise.all(Array.from({ length: 8 }, () => readBlob(client)));
  assert.equal(issued, 1);
  nowNs += 70_000_000_000n;
  await readBlob(client);
  assert.equal(issued, 2);
});

test('credentials do not go to a token service without TLS elsewhere', async () => {
  const agent = new Agent();
  const authorizer = new Authorizer({
    registry: 'ghcr.io',
    credentials: () => Promise.resolve(ann),
    clock: systemClock,
    dispatcher: agent,
    plainHttp: false,
    timeoutMs: 100,
  });
  assert.ok(await authorizer.challenged('s', 'Bearer realm="http://tokens.example/t"', undefined));
  await assert.rejects(authorizer.header('s'), failsWith('REGISTRY_UNAVAILABLE', /without TLS/u));
  await agent.destroy();
});

test('an abort ends a read at once', async () => {
  const abort = new AbortController();
  await using server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 10), () => abort.abort());
  });
  await using client = clientOf(server.address);
  const read = Array.fromAsync(client.readBlob('acme/app', blob, { signal: abort.signal }));
  await assert.rejects(read, (error) => error instanceof Error && error.name === 'AbortError');
});
