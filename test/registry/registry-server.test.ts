import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { request } from 'undici';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { copyImage } from '../../src/image/copy-image.ts';
import { openOciLayoutSink } from '../../src/image/stored/oci-layout-sink.ts';
import { mediaTypes, nydusAnnotations } from '../../src/image/manifest.ts';
import { sha256Digest } from '../../src/image/verified-blob.ts';
import type { MeterRequest } from '../../src/evidence/raw-evidence.ts';
import { RegistryClient } from '../../src/registry/client/registry-client.ts';
import { openImageSource } from '../../src/registry/open-image-source.ts';
import { registrySink } from '../../src/registry/registry-image.ts';
import { startRegistryServer, type RegistryServer } from '../../src/registry/server/registry-server.ts';
import { parseImageReference } from '../../src/image/image-reference.ts';
import { noise, streamOf, writeSampleImage } from '../support/sample-image.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';

const test = suite('registry server');
const anonymous = { credentials: () => Promise.resolve(undefined) };

const settled = async (server: RegistryServer, atLeast: number): Promise<readonly MeterRequest[]> => {
  for (;;) {
    const { requests } = await server.meter.since(0);
    if (requests.length >= atLeast) return requests;
    await new Promise(setImmediate);
  }
};

test('takes an image by push and gives it back with equal digests, also after a restart', async () => {
  await using scratch = await scratchDirectory();
  let digest: string;
  {
    await using server = await startRegistryServer({ directory: scratch.path });
    const reference = parseImageReference(`${server.address}/acme/app:1`);
    await using client = new RegistryClient(server.address, anonymous);
    await client.ping();
    ({ digest } = await writeSampleImage(registrySink(client, reference)));
    assert.deepEqual(await client.tags('acme/app'), ['1']);
  }
  await using again = await startRegistryServer({ directory: scratch.path });
  await using source = await openImageSource(`${again.address}/acme/app:1`, anonymous);
  const sink = await openOciLayoutSink(path.join(scratch.path, 'copy'), 'x');
  assert.equal((await copyImage(source, sink)).digest, digest);
});

test('counts every request by class, prefetch, range and bytes', async () => {
  await using scratch = await scratchDirectory();
  await using server = await startRegistryServer({ directory: scratch.path });
  await using client = new RegistryClient(server.address, anonymous);
  const sink = server.sink('acme/lazy', '1');
  const blob = noise('chunk', 3_000_000);
  const bootstrap = gzipSync(noise('bootstrap', 10_000));
  const put = async (mediaType: string, bytes: Buffer, annotations: Record<string, string>) => {
    const descriptor = { mediaType, digest: sha256Digest(bytes), size: bytes.length, annotations };
    await sink.writeBlob(descriptor, streamOf(bytes));
    return descriptor;
  };
  const data = await put(mediaTypes.nydusBlob, blob, { [nydusAnnotations.blob]: 'true' });
  const boot = await put(mediaTypes.ociLayerGzip, bootstrap, { [nydusAnnotations.bootstrap]: 'true' });
  const config = await put(
    mediaTypes.ociConfig,
    Buffer.from('{"rootfs":{"type":"layers","diff_ids":[]}}'),
    {},
  );
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [data, boot] };
  await sink.writeManifest(Buffer.from(JSON.stringify(manifest)), mediaTypes.ociManifest);
  const read = async (wanted: typeof data, options: Parameters<RegistryClient['readBlob']>[2]) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of client.readBlob('acme/lazy', wanted, options)) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  await client.manifest('acme/lazy', '1');
  await read(config, {});
  await read(boot, {});
  const range = { first: 1_000_000, last: 1_999_999 };
  assert.ok((await read(data, { range })).equals(blob.subarray(1_000_000, 2_000_000)));
  await read(data, { range: { first: 0, last: 99 }, prefetch: true });
  const seen = await settled(server, 5);
  assert.deepEqual(
    seen.map((r) => [r.class, r.prefetch, r.status, r.range, r.bodyBytes]),
    [
      ['manifest', false, 200, undefined, JSON.stringify(manifest).length],
      ['config', false, 200, undefined, config.size],
      ['bootstrap', false, 200, undefined, boot.size],
      ['chunk', false, 206, [1_000_000, 1_999_999], 1_000_000],
      ['chunk', true, 206, [0, 99], 100],
    ],
  );
  const { requests, cursor } = await server.meter.since(3);
  assert.equal(requests.length, 2);
  assert.equal(cursor, 5);
  assert.ok(requests.every((r) => BigInt(r.atNs) > 1_600_000_000_000_000_000n && r.durationMs >= 0));
});

test('counts only what was written when a client hangs up', async () => {
  await using scratch = await scratchDirectory();
  await using server = await startRegistryServer({ directory: scratch.path });
  const size = 64 * 1024 * 1024;
  const bytes = Buffer.alloc(size, 7);
  const digest = sha256Digest(bytes);
  await server.sink('a', '1').writeBlob({ mediaType: 'x', digest, size }, streamOf(bytes));
  const [host = '', port = ''] = server.address.split(':');
  const socket = connect(Number(port), host);
  socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nhost: x\r\n\r\n`);
  await once(socket, 'data');
  socket.destroy();
  const [aborted] = await settled(server, 1);
  assert.ok(aborted);
  assert.ok(aborted.bodyBytes > 0 && aborted.bodyBytes < size / 2, String(aborted.bodyBytes));
});

test('answers ranges as RFC 9110 says', async () => {
  await using scratch = await scratchDirectory();
  await using server = await startRegistryServer({ directory: scratch.path });
  const bytes = noise('range', 1000);
  const digest = sha256Digest(bytes);
  await server.sink('a', '1').writeBlob({ mediaType: 'x', digest, size: 1000 }, streamOf(bytes));
  const get = async (range: string, method: 'GET' | 'HEAD' = 'GET') => {
    const reply = await request(`http://${server.address}/v2/a/blobs/${digest}`, {
      method,
      headers: { range },
    });
    const body = Buffer.from(await reply.body.arrayBuffer());
    return { status: reply.statusCode, contentRange: reply.headers['content-range'], body };
  };
  for (const [range, first, last] of [
    ['bytes=0-0', 0, 0],
    ['bytes=10-', 10, 999],
    ['bytes=-5', 995, 999],
    ['bytes=990-5000', 990, 999],
    ['bytes=-5000', 0, 999],
  ] as const) {
    const { status, contentRange, body } = await get(range);
    assert.deepEqual([status, contentRange], [206, `bytes ${first}-${last}/1000`], range);
    assert.ok(body.equals(bytes.subarray(first, last + 1)), range);
  }
  assert.deepEqual((({ status, contentRange }) => [status, contentRange])(await get('bytes=1000-')), [
    416,
    'bytes */1000',
  ]);
  for (const ignored of ['bytes=5-2', 'items=0-1', 'bytes=0-1,5-6', 'bytes=-'])
    assert.equal((await get(ignored)).status, 200, ignored);
  const head = await get('bytes=0-0', 'HEAD');
  assert.deepEqual([head.status, head.body.length], [200, 0]);
});

test('uploads in chunks, refuses them out of order, and refuses wrong digests', async () => {
  await using scratch = await scratchDirectory();
  await using server = await startRegistryServer({ directory: scratch.path });
  await using client = new RegistryClient(server.address, anonymous);
  const bytes = noise('chunks', 1_000_003);
  const blob = { digest: sha256Digest(bytes), size: bytes.length };
  await client.pushBlob('a/b', blob, streamOf(bytes), { chunkBytes: 100_000 });
  assert.equal(await client.blobSizeBytes('a/b', blob.digest), bytes.length);
  await client.pushBlob('c', blob, streamOf(), { mountFrom: 'a/b' });
  assert.equal(await client.blobSizeBytes('c', blob.digest), bytes.length);
  assert.equal(await client.blobSizeBytes('d', blob.digest), undefined);
  const base = `http://${server.address}`;
  const opened = await request(`${base}/v2/a/blobs/uploads/`, { method: 'POST' });
  const location = String(opened.headers['location']);
  const send = async (contentRange: string) => {
    const reply = await request(base + location, {
      method: 'PATCH',
      headers: { 'content-range': contentRange },
      body: 'abc',
    });
    await reply.body.dump();
    return [reply.statusCode, reply.headers['range']];
  };
  assert.deepEqual(await send('0-2'), [202, '0-2']);
  assert.deepEqual(await send('7-9'), [416, '0-2']);
  assert.deepEqual(await send('3-5'), [202, '0-5']);
  const closed = await request(`${base}${location}?digest=${blob.digest}`, { method: 'PUT' });
  assert.equal(closed.statusCode, 400);
  assert.match(await closed.body.text(), /"DIGEST_INVALID"/u);
});

test('refuses a manifest whose blobs are missing; deletes; lists referrers by type', async () => {
  await using scratch = await scratchDirectory();
  await using server = await startRegistryServer({ directory: scratch.path });
  await using client = new RegistryClient(server.address, anonymous);
  const base = `http://${server.address}`;
  const reference = parseImageReference(`${server.address}/a:1`);
  const { digest } = await writeSampleImage(registrySink(client, reference));
  const orphan = (await client.manifest('a', '1')).bytes;
  const refused = await request(`${base}/v2/other/manifests/1`, { method: 'PUT', body: orphan });
  assert.equal(refused.statusCode, 404);
  assert.match(await refused.body.text(), /MANIFEST_BLOB_UNKNOWN/u);
  for (const type of ['application/x.one', 'application/x.two']) {
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        artifactType: type,
        subject: { mediaType: mediaTypes.ociManifest, digest, size: 1 },
      }),
    );
    await client.pushManifest('a', sha256Digest(bytes), bytes, mediaTypes.ociManifest);
  }
  assert.equal((await client.referrers('a', digest)).manifests.length, 2);
  const filtered = await client.referrers('a', digest, { artifactType: 'application/x.two' });
  assert.deepEqual(
    filtered.manifests.map((entry) => entry.artifactType),
    ['application/x.two'],
  );
  const gone = await request(`${base}/v2/a/manifests/${digest}`, { method: 'DELETE' });
  assert.equal(gone.statusCode, 202);
  await assert.rejects(
    client.manifest('a', '1'),
    (error) =>
      error instanceof HarnessError && error.code === 'IMAGE_NOT_FOUND' && error.message.includes('/a:1'),
  );
});

test('lets in whom it should: basic, tokens, anonymous pulls', async () => {
  await using scratch = await scratchDirectory();
  const user = { username: 'ann', password: 'open sesame' };
  const code = (wanted: string) => (error: unknown) => {
    assert.ok(error instanceof HarnessError, String(error));
    assert.equal(error.code, wanted, error.message);
    assert.ok(!error.message.includes('sesame'));
    return true;
  };
  for (const kind of ['basic', 'bearer'] as const) {
    await using server = await startRegistryServer({
      directory: path.join(scratch.path, kind),
      auth: { kind, ...user },
    });
    const as = (password: string | undefined) => {
      const found =
        password === undefined ? undefined : ({ kind: 'basic', username: 'ann', password } as const);
      return new RegistryClient(server.address, { credentials: () => Promise.resolve(found) });
    };
    await using right = as(user.password);
    await using wrong = as('guess');
    await using nobody = as(undefined);
    await writeSampleImage(registrySink(right, parseImageReference(`${server.address}/a:1`)));
    await right.manifest('a', '1');
    await assert.rejects(wrong.manifest('a', '1'), code('REGISTRY_UNAUTHORIZED'));
    await assert.rejects(nobody.manifest('a', '1'), code('REGISTRY_UNAUTHORIZED'));
  }
  const auth = { kind: 'bearer', ...user, anonymousPull: true } as const;
  await using open = await startRegistryServer({ directory: path.join(scratch.path, 'bearer'), auth });
  await using nobody = new RegistryClient(open.address, anonymous);
  await nobody.manifest('a', '1');
  const bytes = Buffer.from('x');
  await assert.rejects(
    nobody.pushBlob('a', { digest: sha256Digest(bytes), size: 1 }, streamOf(bytes)),
    code('REGISTRY_UNAUTHORIZED'),
  );
});

test('answers what it cannot read, and stays up', async () => {
  await using scratch = await scratchDirectory();
  await using server = await startRegistryServer({ directory: scratch.path });
  const [host = '', port = ''] = server.address.split(':');
  const statusOf = async (line: string): Promise<string> => {
    const socket = connect(Number(port), host);
    socket.end(`${line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    const pieces: Buffer[] = [];
    for await (const piece of socket) if (piece instanceof Buffer) pieces.push(piece);
    return Buffer.concat(pieces).toString().slice(9, 12);
  };
  for (const [line, status] of [
    ['GET //', '404'],
    ['GET /v2/%zz/manifests/1', '400'],
    ['GET /v2/../../etc/passwd', '404'],
    ['GET /v2/a/blobs/..%2f..%2fetc', '400'],
    ['GET /v2/a/blobs/sha256:12', '400'],
    ['GET /v2/a/blobs/uploads/0', '404'],
    ['PATCH /v2/a/blobs/uploads/', '405'],
    ['GET /v2/a/tags/list', '404'],
    ['GET /v2/', '200'],
  ] as const)
    assert.equal(await statusOf(line), status, line);
});

test('says which port is in use', async () => {
  await using scratch = await scratchDirectory();
  await using server = await startRegistryServer({ directory: scratch.path });
  const port = Number(server.address.split(':')[1]);
  await assert.rejects(
    startRegistryServer({ directory: scratch.path, port }),
    (error) =>
      error instanceof HarnessError && error.code === 'PORT_IN_USE' && error.message.includes(String(port)),
  );
});
