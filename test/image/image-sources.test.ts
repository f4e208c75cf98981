import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { copyImage } from '../../src/image/copy-image.ts';
import type { ImageSource } from '../../src/image/image-source.ts';
import { imageIndex, mediaTypes, type ImageIndex } from '../../src/image/manifest.ts';
import { defaultPlatform, selectManifest } from '../../src/image/select-manifest.ts';
import { openArchiveTree } from '../../src/image/stored/archive-tree.ts';
import { openDirectoryTree } from '../../src/image/stored/directory-tree.ts';
import { dockerArchiveSource } from '../../src/image/stored/docker-archive-source.ts';
import { openOciLayoutSink } from '../../src/image/stored/oci-layout-sink.ts';
import { ociLayoutSource } from '../../src/image/stored/oci-layout-source.ts';
import { sha256Digest } from '../../src/image/verified-blob.ts';
import { writeSampleImage } from '../support/sample-image.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';
import { requireTool } from '../support/tool.ts';

const test = suite('image sources');
const selection = { platform: defaultPlatform, flavour: 'plain' } as const;

const readEverything = async (source: ImageSource): Promise<number> => {
  const image = await source.resolve();
  let sizeBytes = 0;
  for (const layer of image.manifest.layers)
    for await (const piece of source.readBlob(layer)) sizeBytes += piece.length;
  return sizeBytes;
};

const failsWith = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HarnessError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

test('reads a layout directory and an archive of it, whole blobs and ranges', async () => {
  const tar = requireTool('tar');
  await using scratch = await scratchDirectory();
  const layout = path.join(scratch.path, 'layout');
  const { digest, layers } = await writeSampleImage(await openOciLayoutSink(layout, 'one'));
  const archive = path.join(scratch.path, 'layout.tar');
  execFileSync(tar, ['-C', layout, '-cf', archive, '.']);
  const total = layers.reduce((sum, layer) => sum + layer.size, 0);
  for (const tree of [await openDirectoryTree(layout), await openArchiveTree(archive)]) {
    await using source = ociLayoutSource(tree, 'sample', { ...selection, tag: 'one' });
    assert.equal((await source.resolve()).digest, digest);
    assert.equal(await readEverything(source), total);
    const [layer] = layers;
    assert.ok(layer);
    const blob = readFileSync(path.join(layout, 'blobs/sha256', layer.digest.slice(7)));
    const pieces: Uint8Array[] = [];
    for await (const piece of source.readBlob(layer, { range: { first: 1000, last: 900_000 } }))
      pieces.push(piece);
    assert.ok(Buffer.concat(pieces).equals(blob.subarray(1000, 900_001)));
  }
});

test('reads what skopeo writes as docker-archive, with layers equal to the diff ids', async () => {
  const skopeo = requireTool('skopeo');
  await using scratch = await scratchDirectory();
  const layout = path.join(scratch.path, 'layout');
  await writeSampleImage(await openOciLayoutSink(layout, 'one'), { withZstd: false });
  const archive = path.join(scratch.path, 'saved.tar');
  execFileSync(skopeo, ['copy', '--quiet', `oci:${layout}:one`, `docker-archive:${archive}:acme/app:1`], {
    stdio: 'pipe',
  });
  for (const tag of [undefined, 'acme/app:1']) {
    const tree = await openArchiveTree(archive);
    await using source = await dockerArchiveSource(tree, 'saved', { ...selection, tag });
    const image = await source.resolve();
    assert.deepEqual(
      image.manifest.layers.map((layer) => layer.digest),
      image.config.rootfs.diff_ids,
    );
    assert.ok((await readEverything(source)) > 4_000_000);
    await copyImage(source, await openOciLayoutSink(path.join(scratch.path, 'again'), 'x'));
  }
  await using wrong = await dockerArchiveSource(await openArchiveTree(archive), 'saved', {
    ...selection,
    tag: 'acme/other:1',
  });
  await assert.rejects(wrong.resolve(), failsWith('IMAGE_NOT_FOUND', /acme\/other:1/u));
});

test('names a blob that is missing, truncated or damaged', async () => {
  await using scratch = await scratchDirectory();
  const layout = path.join(scratch.path, 'layout');
  const { layers } = await writeSampleImage(await openOciLayoutSink(layout));
  const [a, b, c] = layers.map((layer) => path.join(layout, 'blobs/sha256', layer.digest.slice(7)));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  truncateSync(a, 1000);
  const bytes = readFileSync(b);
  bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
  writeFileSync(b, bytes);
  rmSync(c);
  await using source = ociLayoutSource(await openDirectoryTree(layout), 'sample', { ...selection });
  const { manifest } = await source.resolve();
  const read = async (index: number): Promise<void> => {
    const layer = manifest.layers[index];
    assert.ok(layer);
    for await (const _ of source.readBlob(layer));
  };
  await assert.rejects(read(0), failsWith('IMAGE_CORRUPT', /blobs\/sha256\/.* is truncated: 1000 of/u));
  await assert.rejects(read(1), failsWith('DIGEST_MISMATCH', /should have the digest/u));
  await assert.rejects(read(2), failsWith('IMAGE_CORRUPT', /has no file blobs\/sha256\//u));
});

test('refuses places that hold no image, with a sentence', async () => {
  await using scratch = await scratchDirectory();
  const file = path.join(scratch.path, 'x.tar');
  await assert.rejects(openDirectoryTree(file), failsWith('IMAGE_NOT_FOUND', /not a directory/u));
  await assert.rejects(openArchiveTree(file), failsWith('IMAGE_NOT_FOUND', /cannot be opened/u));
  writeFileSync(file, Buffer.alloc(2048, 7));
  await assert.rejects(openArchiveTree(file), failsWith('IMAGE_CORRUPT', /not a tar/u));
  mkdirSync(path.join(scratch.path, 'empty'));
  await using source = ociLayoutSource(
    await openDirectoryTree(path.join(scratch.path, 'empty')),
    'x',
    selection,
  );
  await assert.rejects(source.resolve(), failsWith('IMAGE_NOT_FOUND', /no index\.json/u));
  const layout = path.join(scratch.path, 'two');
  await writeSampleImage(await openOciLayoutSink(layout, 'one'));
  const sink = await openOciLayoutSink(layout, 'two');
  await writeSampleImage(sink);
  await using two = ociLayoutSource(await openDirectoryTree(layout), 'x', selection);
  await assert.rejects(two.resolve(), failsWith('IMAGE_NOT_FOUND', /several images/u));
});

test('chooses the platform, and tells Nydus entries apart in both notations', () => {
  const entry = (letter: string, architecture: string, extra: object = {}): object => ({
    mediaType: mediaTypes.ociManifest,
    digest: sha256Digest(Buffer.from(letter)),
    size: 1,
    platform: { os: 'linux', architecture, ...('os.features' in extra ? extra : {}) },
    ...('artifactType' in extra ? extra : {}),
  });
  const index: ImageIndex = imageIndex.parse({
    schemaVersion: 2,
    manifests: [
      entry('new', 'amd64', { artifactType: 'application/vnd.nydus.image.manifest.v1+json' }),
      entry('arm', 'arm64'),
      entry('old', 'arm64', { 'os.features': ['nydus.remoteimage.v1'] }),
      entry('plain', 'amd64'),
      entry('attestation', 'unknown'),
    ],
  });
  const chosen = (architecture: string, flavour: 'plain' | 'nydus'): string =>
    selectManifest(index, { os: 'linux', architecture }, flavour, 'x').digest;
  const digestOf = (letter: string): string => sha256Digest(Buffer.from(letter));
  assert.equal(chosen('amd64', 'plain'), digestOf('plain'));
  assert.equal(chosen('amd64', 'nydus'), digestOf('new'));
  assert.equal(chosen('arm64', 'plain'), digestOf('arm'));
  assert.equal(chosen('arm64', 'nydus'), digestOf('old'));
  assert.throws(
    () => chosen('riscv64', 'plain'),
    failsWith('IMAGE_UNSUPPORTED', /linux\/riscv64.*linux\/amd64/u),
  );
});
