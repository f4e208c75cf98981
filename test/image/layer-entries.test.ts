import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { layerEntries } from '../../src/image/layer-entries.ts';
import type { LayerEntry } from '../../src/image/layer-entry.ts';
import { mediaTypes } from '../../src/image/manifest.ts';
import { sha256Digest } from '../../src/image/verified-blob.ts';
import { noise, streamOf, tarOf, type TarMember } from '../support/sample-image.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';
import { requireTool } from '../support/tool.ts';

const test = suite('layer entries');

const list = async (bytes: Uint8Array, mediaType: string, pieceBytes = 1 << 16): Promise<string[]> => {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  const seen: string[] = [];
  for await (const entry of layerEntries(streamOf(...pieces), mediaType)) {
    const parts: Uint8Array[] = [];
    if (entry.kind === 'file') for await (const piece of entry.content) parts.push(piece.slice());
    seen.push(`${entry.kind} ${entry.path} ${sha256Digest(Buffer.concat(parts)).slice(7, 15)}`);
  }
  return seen;
};

const first = async (tar: Uint8Array): Promise<LayerEntry> => {
  for await (const entry of layerEntries(streamOf(tar), mediaTypes.ociLayer)) return entry;
  throw new Error('no entry');
};

const members: readonly TarMember[] = [
  { name: 'a/', type: 'directory' },
  { name: 'a/one', content: noise('one', 700_000) },
  { name: `a/${'long/'.repeat(60)}name`, content: 'x' },
  { name: 'a/two', content: noise('two', 300_001) },
];

const failsWith = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HarnessError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

test('reads plain, gzip with several members, and zstd with several and skippable frames alike', async () => {
  const tar = await tarOf(members);
  const plain = await list(tar, mediaTypes.ociLayer);
  assert.equal(plain.length, 4);
  const [head, tail] = [tar.subarray(0, 400_000), tar.subarray(400_000)];
  const members2 = Buffer.concat([gzipSync(head), gzipSync(tail)]);
  const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const frames = Buffer.concat([
    skippable,
    zstdCompressSync(head),
    skippable,
    zstdCompressSync(Buffer.alloc(0)),
    zstdCompressSync(tail),
    skippable,
  ]);
  for (const pieceBytes of [1013, 1 << 16, 1 << 24]) {
    assert.deepEqual(await list(members2, mediaTypes.ociLayerGzip, pieceBytes), plain, `gzip ${pieceBytes}`);
    assert.deepEqual(await list(frames, mediaTypes.ociLayerZstd, pieceBytes), plain, `zstd ${pieceBytes}`);
    assert.deepEqual(await list(tar, mediaTypes.ociLayer, pieceBytes), plain, `tar ${pieceBytes}`);
  }
  // Docker's media type says gzip even where the layer is something else.
  assert.deepEqual(await list(frames, mediaTypes.dockerLayerGzip), plain);
});

test('names a layer that is truncated anywhere', async () => {
  const tar = await tarOf(members);
  const whole: Record<string, Buffer> = {
    [mediaTypes.ociLayer]: tar,
    [mediaTypes.ociLayerGzip]: gzipSync(tar),
    [mediaTypes.ociLayerZstd]: zstdCompressSync(tar),
  };
  for (const [mediaType, bytes] of Object.entries(whole))
    for (const length of [bytes.length - 1100, Math.floor(bytes.length / 2), 700])
      await assert.rejects(
        list(bytes.subarray(0, length), mediaType),
        failsWith('IMAGE_CORRUPT', /truncated/u),
        `${mediaType} ${length}`,
      );
  await assert.rejects(list(noise('n', 5000), mediaTypes.ociLayer), failsWith('IMAGE_CORRUPT', /not a tar/u));
});

test('compares the diff id at the end, and not before', async () => {
  const tar = await tarOf(members);
  const read = async (diffId: string): Promise<number> => {
    let entries = 0;
    const zipped = streamOf(gzipSync(tar));
    for await (const _ of layerEntries(zipped, mediaTypes.ociLayerGzip, { diffId })) entries += 1;
    return entries;
  };
  assert.equal(await read(sha256Digest(tar)), 4);
  await assert.rejects(
    read(`sha256:${'0'.repeat(64)}`),
    failsWith('DIGEST_MISMATCH', /config says sha256:0000/u),
  );
});

test('normalises absolute and dotted names, and refuses those that climb', async () => {
  const named = async (name: string): Promise<string> =>
    (await first(await tarOf([{ name, content: 'x' }]))).path;
  assert.equal(await named('/etc/passwd'), 'etc/passwd');
  assert.equal(await named('./a/./b//c'), 'a/b/c');
  assert.equal(await named('..a/b..'), '..a/b..');
  for (const name of ['../x', 'a/../../x', '/../x', 'a/..'])
    await assert.rejects(named(name), failsWith('LAYER_UNSAFE', /`\.\.`/u), name);
  const link = await tarOf([{ name: 'a', type: 'link', linkname: '../../etc/shadow' }]);
  await assert.rejects(first(link), failsWith('LAYER_UNSAFE', /`\.\.`/u));
  const nul = await tarOf([{ name: 'x', content: '', pax: { path: 'a\0b' } }]);
  await assert.rejects(first(nul), failsWith('LAYER_UNSAFE', /NUL/u));
  const root = await tarOf([{ name: './', type: 'symlink', linkname: '/etc' }]);
  await assert.rejects(first(root), failsWith('LAYER_UNSAFE', /root/u));
});

test('tells whiteouts from files', async () => {
  const tar = await tarOf(
    ['a/.wh.gone', '.wh..wh..opq', 'a/.wh..wh..opq', '.wh..wh.plnk', 'a/real'].map((name) => ({ name })),
  );
  const seen: string[] = [];
  for await (const entry of layerEntries(streamOf(tar), mediaTypes.ociLayer))
    seen.push(`${entry.kind} ${entry.path}`);
  assert.deepEqual(seen, ['whiteout a/gone', 'opaque ', 'opaque a', 'file a/real']);
  const nothing = await tarOf([{ name: 'a/.wh...' }]);
  await assert.rejects(first(nothing), failsWith('LAYER_UNSAFE', /whiteout/u));
});

test('keeps binary extended attributes and fractions of times as GNU tar writes them', async () => {
  const tar = requireTool('tar');
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'root');
  mkdirSync(root);
  writeFileSync(path.join(root, 'f'), 'hello');
  execFileSync('touch', ['-d', '@1700000000.123456789', path.join(root, 'f')]);
  const raw = Buffer.from([1, 0, 0, 2, 0x80, 0xff, 0, 0]);
  // A pax header of our own: not every file system takes extended attributes.
  const record = Buffer.concat([Buffer.from(' SCHILY.xattr.security.capability='), raw, Buffer.from('\n')]);
  const body = Buffer.concat([Buffer.from(String(record.length + 2)), record]);
  assert.equal(body.length, record.length + 2);
  const pax = await tarOf([{ name: 'pax', content: body }]);
  pax.write('x', 156);
  const sum = pax
    .subarray(0, 512)
    .reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  pax.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const withXattr = Buffer.concat([pax.subarray(0, 1024), await tarOf([{ name: 'f', content: 'x' }])]);
  const capable = await first(withXattr);
  assert.ok('xattrs' in capable);
  assert.deepEqual([...capable.xattrs], [['security.capability', raw]]);
  execFileSync(tar, ['--format=pax', '-C', root, '-cf', path.join(scratch.path, 'f.tar'), 'f']);
  const timed = await first(readFileSync(path.join(scratch.path, 'f.tar')));
  assert.ok(timed.kind === 'file');
  assert.deepEqual([timed.mtimeS, timed.mtimeNs], [1_700_000_000, 123_456_789]);
});

test('reads back whatever tar-stream writes', async () => {
  const name = fc.stringMatching(/^[a-z]{1,40}(\/[a-zä]{1,40}){0,6}$/u);
  const content = fc.uint8Array({ maxLength: 3000 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, content), { maxLength: 8 }),
      fc.integer({ min: 1, max: 5000 }),
      async (files, pieceBytes) => {
        const tar = await tarOf(
          files.map(([path_, bytes]) => ({ name: path_, content: Buffer.from(bytes) })),
        );
        const wanted = files.map(([path_, bytes]) => `file ${path_} ${sha256Digest(bytes).slice(7, 15)}`);
        assert.deepEqual(await list(tar, mediaTypes.ociLayer, pieceBytes), wanted);
      },
    ),
    { numRuns: 60 },
  );
});
