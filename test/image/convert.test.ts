import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { convertImage } from '../../src/image/convert.ts';
import type { ImageSink, ImageSource } from '../../src/image/image-source.ts';
import type { LayerEntry } from '../../src/image/layer-entry.ts';
import { imageConfig, imageManifest, mediaTypes } from '../../src/image/manifest.ts';
import { parseBootstrap } from '../../src/image/rafs/bootstrap.ts';
import { convertLayers } from '../../src/image/rafs/convert-layers.ts';
import { suite } from '../support/suite.ts';
import { entry, layerOf } from './rafs/layer-fixture.ts';

const test = suite('convert');
let work = '';
test.before(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'lazybench-convert-'));
});
test.after(() => rm(work, { recursive: true, force: true }));
const emptyWork = (): Promise<string> => mkdtemp(path.join(work, 'w-'));

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

/** A source whose layers are known by number only; the entries come from the test. */
const sourceOf = (layerCount: number): ImageSource => {
  const layers = Array.from({ length: layerCount }, (_, index) => ({
    mediaType: mediaTypes.ociLayerGzip,
    digest: digest(String(index)),
    size: 1,
  }));
  const config = imageConfig.parse({
    architecture: 'amd64',
    config: { Env: ['A=b'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    history: layers.map((_, index) => ({ created_by: String(index) })),
  });
  const manifest = imageManifest.parse({
    schemaVersion: 2,
    config: { mediaType: mediaTypes.ociConfig, digest: digest('c'), size: 1 },
    layers,
  });
  return {
    reference: 'registry.example/app:1',
    resolve: () =>
      Promise.resolve({
        digest: digest('a'),
        manifest,
        manifestBytes: Buffer.from(JSON.stringify(manifest)),
        config,
        configBytes: Buffer.from(JSON.stringify(config)),
      }),
    readBlob: (descriptor) => Readable.from([Buffer.from(descriptor.digest)]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
};

class MemorySink implements ImageSink {
  readonly blobs = new Map<string, Buffer>();
  readonly order: string[] = [];
  manifest: Buffer = Buffer.alloc(0);

  hasBlob(name: string): Promise<boolean> {
    return Promise.resolve(this.blobs.has(name));
  }

  async writeBlob(
    descriptor: { digest: string; size: number },
    content: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    const bytes = Buffer.concat(parts);
    assert.equal(digestOf(bytes), descriptor.digest);
    assert.equal(bytes.length, descriptor.size);
    this.blobs.set(descriptor.digest, bytes);
    this.order.push('blob');
  }

  writeManifest(bytes: Uint8Array): Promise<{ digest: string }> {
    this.manifest = Buffer.from(bytes);
    this.order.push('manifest');
    return Promise.resolve({ digest: digestOf(bytes) });
  }
}

const layers = (): AsyncIterable<LayerEntry>[] => [
  layerOf(entry.file('etc/a', 'shared content'), entry.file('etc/b', 'b'.repeat(9000))),
  layerOf(entry.file('etc/c', 'shared content')),
  layerOf(entry.whiteout('etc/b'), entry.file('etc/d', 'new')),
];

const convertOnce = async () => {
  const workDirectory = await emptyWork();
  const sink = new MemorySink();
  const pending = layers();
  const result = await convertImage({
    source: sourceOf(3),
    sink,
    layerEntries: () => pending.shift() ?? layerOf(),
    workDirectory,
    builderVersion: 'lazybench 0.0.0',
  });
  return { sink, result, workDirectory };
};

test('pushes blobs, bootstrap and config before the manifest, and describes them as Nydus does', async () => {
  const { sink, result, workDirectory } = await convertOnce();
  assert.equal(sink.order.at(-1), 'manifest');
  assert.equal(result.digest, digestOf(sink.manifest));
  const manifest = imageManifest.parse(JSON.parse(sink.manifest.toString()));
  // The middle layer has nothing of its own.
  assert.deepEqual(
    manifest.layers.map(({ mediaType }) => mediaType),
    [mediaTypes.nydusBlob, mediaTypes.nydusBlob, mediaTypes.ociLayerGzip],
  );
  assert.equal(manifest.annotations?.['containerd.io/snapshot/nydus-source-digest'], digest('a'));
  assert.equal(manifest.annotations['containerd.io/snapshot/nydus-builder-version'], 'lazybench 0.0.0');
  const last = manifest.layers.at(-1);
  assert.equal(last?.annotations?.['containerd.io/snapshot/nydus-bootstrap'], 'true');
  const tar = gunzipSync(sink.blobs.get(last.digest) ?? '');
  const config = imageConfig.parse(JSON.parse(String(sink.blobs.get(manifest.config.digest))));
  assert.deepEqual(config.rootfs.diff_ids, [
    ...manifest.layers.slice(0, 2).map((layer) => layer.digest),
    digestOf(tar),
  ]);
  assert.deepEqual(config.config?.Env, ['A=b']);
  const size = parseInt(tar.toString('latin1', 512 + 124, 512 + 135), 8);
  const bootstrap = parseBootstrap(tar.subarray(1024, 1024 + size));
  assert.deepEqual(
    [...bootstrap.walk()].map((walked) => walked.path),
    ['/', '/etc', '/etc/a', '/etc/c', '/etc/d'],
  );
  assert.deepEqual(await readdir(workDirectory), [], 'nothing is left in the work directory');
});

test('gives the same digests for the same image', async () => {
  assert.equal((await convertOnce()).result.digest, (await convertOnce()).result.digest);
});

const pathsOf = async (...given: AsyncIterable<LayerEntry>[]): Promise<string[]> => {
  const { bootstrap } = await convertLayers(given, { workDirectory: await emptyWork() });
  return [...parseBootstrap(bootstrap).walk()].map((walked) => walked.path);
};

test('a layer keeps its own files in a directory that it empties, in whatever order they come', async () => {
  const lower = () => layerOf(entry.file('d/old', '1'), entry.file('d/e/old', '2'));
  const expected = ['/', '/d', '/d/e', '/d/e/new', '/d/new'];
  const news = () => [entry.file('d/new', '3'), entry.file('d/e/new', '4')];
  assert.deepEqual(await pathsOf(lower(), layerOf(entry.opaque('d'), ...news())), expected);
  assert.deepEqual(await pathsOf(lower(), layerOf(...news(), entry.opaque('d'))), expected);
  assert.deepEqual(await pathsOf(lower(), layerOf(...news(), entry.whiteout('d'))), expected);
});

test('files go through symlinked directories, and a directory replaces a symlink', async () => {
  const lower = () => layerOf(entry.directory('usr/lib'), entry.symlink('lib', '/usr/lib'));
  assert.deepEqual(await pathsOf(lower(), layerOf(entry.file('lib/x', '1'))), [
    '/',
    '/lib',
    '/usr',
    '/usr/lib',
    '/usr/lib/x',
  ]);
  assert.deepEqual(await pathsOf(lower(), layerOf(entry.directory('lib'), entry.file('lib/x', '1'))), [
    '/',
    '/lib',
    '/lib/x',
    '/usr',
    '/usr/lib',
  ]);
});

const hostile: readonly (readonly [what: string, code: string, entries: () => LayerEntry[]])[] = [
  ['a hard link to nothing', 'IMAGE_CORRUPT', () => [entry.hardlink('a', 'b')]],
  ['a file below a file', 'IMAGE_CORRUPT', () => [entry.file('a', '1'), entry.file('a/b', '2')]],
  ['a file below a symlink loop', 'IMAGE_CORRUPT', () => [entry.symlink('a', 'a'), entry.file('a/b', '2')]],
  ['a name of 256 bytes', 'IMAGE_UNSUPPORTED', () => [entry.file('n'.repeat(256), '1')]],
  ['a symlink target of 4096 bytes', 'IMAGE_UNSUPPORTED', () => [entry.symlink('a', 't'.repeat(4096))]],
  ['a path of 5000 bytes', 'IMAGE_UNSUPPORTED', () => [entry.file('a/'.repeat(2500) + 'b', '1')]],
  ['a path with ..', 'LAYER_UNSAFE', () => [entry.file('a/../../b', '1')]],
  ['less content than announced', 'IMAGE_CORRUPT', () => [entry.file('a', '123', {}, 4)]],
  ['more content than announced', 'IMAGE_CORRUPT', () => [entry.file('a', '123', {}, 2)]],
];
for (const [what, code, entries] of hostile)
  test(`refuses ${what} and leaves no file`, async () => {
    const given = [layerOf(entry.file('fine', 'fine')), layerOf(...entries())];
    const workDirectory = await emptyWork();
    await assert.rejects(convertLayers(given, { workDirectory }), { code });
    assert.deepEqual(await readdir(workDirectory), []);
  });
