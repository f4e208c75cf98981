import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { evictImage, findOnNode } from '../../../src/embedded/engine/evict-image.ts';
import { nydusHandler } from '../../../src/embedded/engine/node-image.ts';
import { HarnessError } from '../../../src/errors/harness-error.ts';
import type { ImageSource } from '../../../src/image/image-source.ts';
import type { TraceStep } from '../../../src/image/access-trace.ts';
import { containerSpec, startEngineNode, traceOf, type EngineNode } from '../../support/engine-node.ts';
import { madeImage } from '../../support/made-image.ts';
import { noise } from '../../support/sample-image.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { suite } from '../../support/suite.ts';
import { requireRoot } from '../../support/tool.ts';

const test = suite('node runtime');
const { signal } = new AbortController();

const big = noise('big', 6_000_000);
const app = noise('app', 300_000);

/** Two layers: a large file, a whiteout, a hard link and an absolute symlink. */
const sample = (): Promise<ImageSource> =>
  madeImage([
    {
      compression: 'gzip',
      members: [
        { name: 'lib/big.bin', content: big },
        { name: 'lib/old', content: 'gone in the next layer' },
      ],
    },
    {
      compression: 'zstd',
      members: [
        { name: 'lib/.wh.old' },
        { name: 'app', content: app },
        { name: 'app2', type: 'link', linkname: 'app' },
        { name: 'abs', type: 'symlink', linkname: '/lib/big.bin' },
      ],
    },
  ]);

const read = (file: string, offset: number, length: number): TraceStep => ({
  kind: 'read',
  atMs: 0,
  path: file,
  offset,
  length,
});

/** Runs a container until it says `ready` or ends. */
async function runUntilReady(node: EngineNode, reference: string, handler = ''): Promise<string[]> {
  const container = await node.runtime.createContainer(containerSpec(reference, handler), signal);
  const lines: string[] = [];
  await new Promise<void>((resolve) => {
    void container.exited.then(() => resolve());
    void container.start((line) => {
      lines.push(line);
      if (line === 'ready') resolve();
    });
  });
  return lines;
}

const ready: TraceStep = { kind: 'log', atMs: 0, line: 'ready' };

test('an OCI image is pulled, verified and unpacked with its whiteouts', async () => {
  await using node = await startEngineNode();
  const reference = await node.stage(await sample(), 'app');
  const { sizeBytes } = await node.runtime.pullImage(reference, '', signal);
  node.behaviours.set(reference, { workload: 'all-files', prefetch: { kind: 'off' } });
  assert.deepEqual(await runUntilReady(node, reference), ['ready']);

  const image = node.runtime.imageOf(reference);
  assert.ok(image !== undefined);
  const root = node.runtime.snapshots.pathOf('overlayfs', image.chain.at(-1) ?? '');
  assert.deepEqual((await fs.readdir(path.join(root, 'lib'))).sort(), ['big.bin']);
  assert.ok((await fs.readFile(path.join(root, 'lib/big.bin'))).equals(big));
  assert.equal((await fs.stat(path.join(root, 'app2'))).nlink, 2);
  const [container] = node.runtime.containers.values();
  assert.equal(container?.accesses().readBytes, big.length + 2 * app.length);

  // Everything went over the link once, and three counts of it agree.
  const { requests } = await node.registry.meter.since(0);
  const metered = requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  assert.equal(node.runtime.pulls.bytes, metered);
  assert.equal(sizeBytes, metered);
  const overhead = node.linkCounters().rxBytes - metered;
  assert.ok(overhead > 0 && overhead < 600 * requests.length, `${String(overhead)} bytes of headers`);
});

test('a second pull of the same layers fetches only manifest and config', async () => {
  await using node = await startEngineNode();
  const reference = await node.stage(await sample(), 'app');
  await node.runtime.pullImage(reference, '', signal);
  const { cursor } = await node.registry.meter.since(0);
  await node.runtime.pullImage(reference, '', signal);
  const { requests } = await node.registry.meter.since(cursor);
  assert.deepEqual(requests.map((request) => request.class).sort(), ['config', 'manifest']);
});

test('a Nydus image moves its bootstrap at the pull and only the chunks that are read', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  const pulled = (await node.registry.meter.since(0)).requests;
  assert.deepEqual(pulled.map((request) => request.class).sort(), ['bootstrap', 'config', 'manifest']);

  node.behaviours.set(reference, {
    workload: traceOf([read('/app2', 0, 300_000), read('/abs', 3_500_000, 1000), ready]),
    prefetch: { kind: 'off' },
  });
  await runUntilReady(node, reference, nydusHandler);
  const { requests } = await node.registry.meter.since(pulled.length);
  assert.deepEqual(new Set(requests.map((request) => request.class)), new Set(['chunk']));
  const [mounting] = node.runtime.mounts.values();
  const mount = await mounting;
  assert.ok(mount !== undefined);
  const readBytes = requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  assert.deepEqual(mount.counters(), {
    readCount: requests.length,
    readErrors: 0,
    readBytes,
    prefetchBytes: 0,
    prefetchCount: 0,
    servedBytes: 301_000,
  });
  // One chunk of /app, and the 1 MiB chunk of big.bin at 3.5 MB.
  const { readyChunks, readyCompressedBytes } = mount.chunkMap();
  assert.deepEqual([readyChunks, readyCompressedBytes], [2, app.length + 2 ** 20]);
});

test('reading everything fills the cache with the very bytes of the image, and each chunk came once', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  node.behaviours.set(reference, { workload: 'all-files', prefetch: { kind: 'off' } });
  await Promise.all(Array.from({ length: 4 }, () => runUntilReady(node, reference, nydusHandler)));
  const [mounting] = node.runtime.mounts.values();
  const mount = await mounting;
  const map = mount?.chunkMap();
  assert.equal(map?.readyChunks, map?.totalChunks);
  const cache = path.join(node.nodeDirectory, 'cache');
  const stored = await Promise.all(
    (await fs.readdir(cache))
      .filter((name) => name.endsWith('.blob.data'))
      .map((name) => fs.readFile(path.join(cache, name))),
  );
  assert.ok(stored.some((device) => device.subarray(0, big.length).equals(big)));
  assert.ok(stored.some((device) => device.subarray(0, app.length).equals(app)));
  // Four containers read at once: whoever came second waited for the first one's fetch.
  const { requests } = await node.registry.meter.since(0);
  const chunkBytes = requests
    .filter((request) => request.class === 'chunk')
    .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  const metaBytes = (mount?.blobIds.length ?? 0) * 4300;
  assert.ok(chunkBytes <= big.length + app.length + metaBytes, `${String(chunkBytes)} bytes of chunks`);
});

test('prefetch is told apart by the meter and by the mount, and reads afterwards fetch nothing', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  node.behaviours.set(reference, { workload: traceOf([ready]), prefetch: { kind: 'all' } });
  await runUntilReady(node, reference, nydusHandler);
  const [mounting] = node.runtime.mounts.values();
  const mount = await mounting;
  await mount?.prefetched;
  const { requests, cursor } = await node.registry.meter.since(0);
  const prefetched = requests.filter((request) => request.prefetch);
  const bytes = prefetched.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  assert.equal(bytes, big.length + app.length);
  const counters = mount?.counters();
  assert.deepEqual([counters?.prefetchBytes, counters?.prefetchCount], [bytes, prefetched.length]);

  node.behaviours.set(reference, { workload: 'all-files', prefetch: { kind: 'off' } });
  await runUntilReady(node, reference, nydusHandler);
  assert.equal((await node.registry.meter.since(cursor)).requests.length, 0);
});

test('a prefetch list fetches the listed files and directories only', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  node.behaviours.set(reference, {
    workload: traceOf([ready]),
    prefetch: { kind: 'list', paths: ['/app2', '/app', '/none'] },
  });
  await runUntilReady(node, reference, nydusHandler);
  const [mounting] = node.runtime.mounts.values();
  const mount = await mounting;
  await mount?.prefetched;
  assert.equal(mount?.counters().prefetchBytes, app.length);
});

test('a mount with valid blob.meta files in the cache asks for none', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  node.behaviours.set(reference, { workload: 'all-files', prefetch: { kind: 'off' } });
  await runUntilReady(node, reference, nydusHandler);
  for (const container of [...node.runtime.containers.values()]) await container.remove();
  for (const chain of [...node.runtime.mounts.keys()]) await node.runtime.unmount(chain);
  const { cursor } = await node.registry.meter.since(0);
  await runUntilReady(node, reference, nydusHandler);
  assert.equal((await node.registry.meter.since(cursor)).requests.length, 0);
});

test('a Nydus image without the nydus snapshotter fails as under containerd', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await assert.rejects(node.runtime.pullImage(reference, '', signal), (error) => {
    assert.ok(error instanceof HarnessError);
    assert.match(
      error.message,
      /^failed to pull and unpack image ".*": failed to extract layer sha256:.*: failed to get stream processor for application\/vnd\.oci\.image\.layer\.nydus\.blob\.v1: no processor for media-type/u,
    );
    return true;
  });
  assert.equal(await node.runtime.hasImage(reference), false);
});

test('an OCI image under the nydus handler is unpacked whole and served by no daemon', async () => {
  await using node = await startEngineNode();
  const reference = await node.stage(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  node.behaviours.set(reference, { workload: 'all-files', prefetch: { kind: 'off' } });
  assert.deepEqual(await runUntilReady(node, reference, nydusHandler), ['ready']);
  const [container] = node.runtime.containers.values();
  assert.deepEqual(container?.root.mount, {
    snapshotter: 'nydus',
    lowerDirectories: undefined,
    daemon: undefined,
  });
});

test('an image pulled for one snapshotter is unpacked again for the other from the content store', async () => {
  await using node = await startEngineNode();
  const reference = await node.stage(await sample(), 'app');
  await node.runtime.pullImage(reference, '', signal);
  const { cursor } = await node.registry.meter.since(0);
  node.behaviours.set(reference, { workload: 'all-files', prefetch: { kind: 'off' } });
  assert.deepEqual(await runUntilReady(node, reference, nydusHandler), ['ready']);
  assert.equal((await node.registry.meter.since(cursor)).requests.length, 0);
});

test('a Nydus image pulled lazily cannot become a plain container: its layers were never fetched', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  await assert.rejects(
    node.runtime.createContainer(containerSpec(reference, ''), signal),
    /failed to create containerd container: error unpacking image: .*content digest sha256:.*: not found/u,
  );
});

/** Changes the file of the image's largest blob in the registry. */
async function damageLargestBlob(
  node: EngineNode,
  source: ImageSource,
  damage: (bytes: Buffer) => Buffer,
): Promise<string> {
  const { manifest } = await source.resolve();
  const [layer] = manifest.layers.toSorted((a, b) => b.size - a.size);
  const file = path.join(node.registryDirectory, 'blobs', (layer?.digest ?? '').replace(':', '/'));
  await fs.writeFile(file, damage(await fs.readFile(file)));
  return layer?.digest ?? '';
}

test('a layer with the wrong bytes fails with the digests, and nothing of it stays', async () => {
  await using node = await startEngineNode();
  const source = await sample();
  const reference = await node.stage(source, 'app');
  const digest = await damageLargestBlob(node, source, (bytes) => {
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    return bytes;
  });
  await assert.rejects(node.runtime.pullImage(reference, '', signal), (error) => {
    assert.ok(error instanceof HarnessError);
    assert.equal(error.code, 'DIGEST_MISMATCH');
    assert.ok(
      error.message.includes(`failed commit on ref "layer-${digest}": unexpected commit digest sha256:`),
      error.message,
    );
    return true;
  });
  assert.equal(await node.runtime.content.has(digest), false);
  assert.equal(await node.runtime.hasImage(reference), false);
  await assertNoLeftovers(node);
});

test('a truncated layer fails with the sizes', async () => {
  await using node = await startEngineNode();
  const source = await sample();
  const reference = await node.stage(source, 'app');
  const digest = await damageLargestBlob(node, source, (bytes) => bytes.subarray(0, bytes.length - 1000));
  await assert.rejects(node.runtime.pullImage(reference, '', signal), (error) => {
    assert.ok(error instanceof HarnessError);
    assert.match(error.message, /^failed to pull and unpack image ".*": .*/u);
    assert.ok(error.message.includes(digest), error.message);
    return true;
  });
  assert.equal(await node.runtime.content.has(digest), false);
  await assertNoLeftovers(node);
});

test('a layer that is not what the config says fails with the diff id', async () => {
  await using node = await startEngineNode();
  const wrong = `sha256:${'0'.repeat(64)}`;
  const layer = { compression: 'gzip', members: [{ name: 'a', content: 'a' }] } as const;
  const reference = await node.stage(await madeImage([layer], { diffIds: [wrong] }), 'app');
  await assert.rejects(
    node.runtime.pullImage(reference, '', signal),
    new RegExp(`wrong diff id calculated on extraction "${wrong}"`, 'u'),
  );
  await assertNoLeftovers(node);
});

test('a chunk with the wrong bytes ends the container with an input/output error', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  const image = node.runtime.imageOf(reference);
  for (const { digest, mediaType } of image?.manifest.layers ?? []) {
    if (!mediaType.includes('nydus')) continue;
    const file = path.join(node.registryDirectory, 'blobs', digest.replace(':', '/'));
    const bytes = await fs.readFile(file);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await fs.writeFile(file, bytes);
  }
  node.behaviours.set(reference, { workload: 'all-files', prefetch: { kind: 'off' } });
  const lines = await runUntilReady(node, reference, nydusHandler);
  assert.match(lines.at(-1) ?? '', /^input\/output error: /u);
  const [container] = node.runtime.containers.values();
  assert.deepEqual(await container?.exited, { exitCode: 1, reason: 'Error' });
});

test('a pull that is stopped leaves nothing behind', async () => {
  await using node = await startEngineNode({
    link: { rateBytesPerSecond: 1e6, latencyMs: 1, maxConnections: 4 },
  });
  const reference = await node.stage(await sample(), 'app');
  const stop = new AbortController();
  const pulling = node.runtime.pullImage(reference, '', stop.signal);
  pulling.catch(() => undefined);
  while (node.runtime.pulls.bytes < 500_000) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort(new Error('Ctrl-C'));
  await assert.rejects(pulling, /Ctrl-C|abort/iu);
  assert.equal(await node.runtime.hasImage(reference), false);
  await assertNoLeftovers(node);
});

async function assertNoLeftovers(node: EngineNode): Promise<void> {
  assert.deepEqual(await fs.readdir(path.join(node.nodeDirectory, 'content/ingest')), []);
  const all = await fs.readdir(path.join(node.nodeDirectory), { recursive: true });
  assert.deepEqual(
    all.filter((name) => name.includes('extract-')),
    [],
  );
}

test('a full disk is named', async () => {
  requireRoot();
  await using scratch = await scratchDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', scratch.path]);
  try {
    await using node = await startEngineNode({ nodeDirectory: path.join(scratch.path, 'node') });
    const reference = await node.stage(await sample(), 'app');
    await assert.rejects(node.runtime.pullImage(reference, '', signal), (error) => {
      assert.ok(error instanceof HarnessError);
      assert.equal(error.code, 'DISK_FULL');
      assert.match(error.message, /: no space left on device$/u);
      return true;
    });
    await assertNoLeftovers(node);

    const nydus = await node.stageNydus(await sample(), 'app');
    await node.runtime.pullImage(nydus, nydusHandler, signal);
    node.behaviours.set(nydus, { workload: 'all-files', prefetch: { kind: 'off' } });
    const lines = await runUntilReady(node, nydus, nydusHandler);
    assert.match(lines.at(-1) ?? '', /^input\/output error: blob cache of .*: no space left on device$/u);
  } finally {
    execFileSync('umount', ['-l', scratch.path]);
  }
});

test('an evicted image is gone by every reference; while a container uses it, what stays and why is told', async () => {
  await using node = await startEngineNode();
  const reference = await node.stageNydus(await sample(), 'app');
  await node.runtime.pullImage(reference, nydusHandler, signal);
  node.behaviours.set(reference, { workload: 'all-files', prefetch: { kind: 'off' } });
  await runUntilReady(node, reference, nydusHandler);
  const image = node.runtime.imageOf(reference);
  assert.ok(image !== undefined);
  const before = await findOnNode(node.runtime, image);
  assert.deepEqual([before.references.length, before.snapshots.length, before.containers.length], [3, 1, 1]);
  assert.equal(before.blobCacheFiles.length, 6);

  const keptBy = await evictImage(node.runtime, image);
  assert.match(keptBy.join(), /container default\/pod\/main .* uses it/u);
  assert.equal((await findOnNode(node.runtime, image)).snapshots.length, 1);

  for (const container of [...node.runtime.containers.values()]) await container.remove();
  assert.deepEqual(await evictImage(node.runtime, image), []);
  assert.deepEqual(await findOnNode(node.runtime, image), {
    references: [],
    contentBlobs: [],
    snapshots: [],
    blobCacheFiles: [],
    containers: [],
  });
  for (const name of image.references) assert.equal(await node.runtime.hasImage(name), false);
});
