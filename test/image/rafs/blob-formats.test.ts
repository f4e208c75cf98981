import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { HarnessError } from '../../../src/errors/harness-error.ts';
import { decodeBlobMeta, encodeBlobMeta } from '../../../src/image/rafs/blob-meta.ts';
import { ChunkMapFile } from '../../../src/image/rafs/chunk-map-file.ts';
import { ChunkMap } from '../../../src/image/rafs/chunk-map.ts';
import { decodeLz4Block } from '../../../src/image/rafs/lz4-block.ts';
import { decodeTarHeader, encodeTarHeader } from '../../../src/image/rafs/tar-header.ts';
import { suite } from '../../support/suite.ts';

const test = suite('blob formats');

const header = (chunkCount: number) =>
  ({
    features: 0x70000021,
    compressor: 'none',
    chunkCount,
    offset: 0,
    compressedSizeBytes: 0,
    uncompressedSizeBytes: 0,
  }) as const;

test('reads the chunk information of known bytes', () => {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64LE(0x0422200000000000n, 0);
  bytes.writeBigUInt64LE(0x012db00000000000n, 8);
  bytes.writeBigUInt64LE(0x0345700000005000n, 16);
  bytes.writeBigUInt64LE(0x00b9d000000012dcn, 24);
  assert.deepEqual(
    decodeBlobMeta(bytes, header(2)).map((chunk) => [
      chunk.uncompressedOffset,
      chunk.uncompressedSizeBytes,
      chunk.compressedOffset,
      chunk.compressedSizeBytes,
      chunk.isCompressed,
    ]),
    [
      [0, 16931, 0, 4828, true],
      [0x5000, 13400, 0x12dc, 2974, true],
    ],
  );
});

test('chunk information survives writing and reading', () => {
  const chunk = fc.record({
    compressedOffset: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
    compressedSizeBytes: fc.integer({ min: 1, max: 2 ** 24 }),
    uncompressedOffset: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((block) => block * 4096),
    uncompressedSizeBytes: fc.integer({ min: 1, max: 2 ** 24 }),
  });
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      const read = decodeBlobMeta(encodeBlobMeta(chunks), header(chunks.length));
      assert.deepEqual(
        read,
        chunks.map((given) => ({
          uncompressedOffset: given.uncompressedOffset,
          uncompressedSizeBytes: given.uncompressedSizeBytes,
          compressedOffset: given.compressedOffset,
          compressedSizeBytes: given.compressedSizeBytes,
          isCompressed: given.compressedSizeBytes !== given.uncompressedSizeBytes,
        })),
      );
    }),
  );
});

test('tar headers survive writing and reading, above 8 GiB too', () => {
  for (const sizeBytes of [0, 1, 8 ** 11 - 1, 8 ** 11, 2 ** 40])
    assert.deepEqual(decodeTarHeader(encodeTarHeader({ name: 'image.blob', sizeBytes })), {
      name: 'image.blob',
      sizeBytes,
    });
  assert.throws(() => decodeTarHeader(Buffer.alloc(512)), { code: 'IMAGE_CORRUPT' });
});

test('decodes LZ4 literals, far and overlapping matches', () => {
  // "abcd", then 12 bytes from 4 back (overlapping), then the literal "!".
  const block = Buffer.from([0x48, 0x61, 0x62, 0x63, 0x64, 4, 0, 0x10, 0x21]);
  assert.equal(Buffer.from(decodeLz4Block(block, 17)).toString(), 'abcdabcdabcdabcd!');
  assert.throws(() => decodeLz4Block(block, 16), { code: 'IMAGE_CORRUPT' });
  assert.throws(() => decodeLz4Block(block, 18), { code: 'IMAGE_CORRUPT' });
});

test('random bytes as LZ4 decode or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5000), (bytes, sizeBytes) => {
      try {
        assert.equal(decodeLz4Block(bytes, sizeBytes).length, sizeBytes);
      } catch (error) {
        assert.ok(error instanceof HarnessError && error.code === 'IMAGE_CORRUPT');
      }
    }),
  );
});

test('a chunk map keeps its bits most significant first', () => {
  const map = ChunkMap.empty(10);
  assert.equal(map.setReady(0), 4096);
  assert.equal(map.setReady(9), 4097);
  assert.deepEqual([...map.bytes.subarray(4096)], [0x80, 0x40]);
  assert.equal(map.readyCount, 2);
  assert.equal(map.isReady(10), false);
  assert.throws(() => ChunkMap.parse(map.bytes, 17), { code: 'CHUNK_MAP_INVALID' });
});

test('a chunk map file shows what was marked to others, and says when it is complete', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'lazybench-chunk-map-'));
  const file = path.join(directory, 'map');
  try {
    await using own = await ChunkMapFile.open(file, { chunkCount: 20, create: true });
    await using other = await ChunkMapFile.open(file, { chunkCount: 20 });
    await own.markReady([3, 17]);
    const seen = await other.refresh();
    assert.deepEqual([seen.isReady(3), seen.isReady(4), seen.readyCount], [true, false, 2]);
    await own.markReady(Array.from({ length: 20 }, (_, id) => id));
    assert.ok((await other.refresh()).isComplete);
    await using handle = await open(file);
    const { buffer } = await handle.read({ buffer: Buffer.alloc(16), position: 0 });
    assert.equal(buffer.readUInt32LE(12), 0x4d4d4150);
    await assert.rejects(ChunkMapFile.open(file, { chunkCount: 2000 }), { code: 'CHUNK_MAP_INVALID' });
  } finally {
    await rm(directory, { recursive: true });
  }
});
