import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planOnDemand, planPrefetch, type PlannedChunk } from '../../../src/image/rafs/fetch-plan.ts';
import { suite } from '../../support/suite.ts';

const test = suite('fetch plan');
const KiB = 1024;

const blobOf = (sizes: readonly number[]): PlannedChunk[] => {
  let offset = 0;
  return sizes.map((compressedSizeBytes, chunkId) => {
    const compressedOffset = offset;
    offset += compressedSizeBytes;
    return { chunkId, compressedOffset, compressedSizeBytes };
  });
};
const none = (): boolean => false;

test('a small read fetches the batch that starts at its chunk', () => {
  const chunks = blobOf(Array<number>(100).fill(100 * KiB));
  const [range] = planOnDemand({ chunks, isReady: none }, [3]);
  assert.equal(range?.firstByte, 300 * KiB);
  assert.equal(range.chunkIds.length, 10);
  assert.equal(range.lastByte - range.firstByte + 1, 1000 * KiB);
});

test('a batch of 0 means 128 KiB', () => {
  const chunks = blobOf(Array<number>(10).fill(60 * KiB));
  assert.deepEqual(planOnDemand({ chunks, isReady: none }, [0], 0)[0]?.chunkIds, [0, 1]);
});

test('a chunk larger than the batch is fetched whole and alone', () => {
  const chunks = blobOf([900 * KiB, 900 * KiB]);
  assert.deepEqual(planOnDemand({ chunks, isReady: none }, [0], 0)[0]?.chunkIds, [0]);
});

test('local chunks are cut off the end and fetched again in the middle', () => {
  const chunks = blobOf(Array<number>(6).fill(100 * KiB));
  const isReady = (id: number): boolean => id === 1 || id === 4 || id === 5;
  assert.deepEqual(planOnDemand({ chunks, isReady }, [0])[0]?.chunkIds, [0, 1, 2, 3]);
});

test('missing chunks with a gap of up to a 128th of the batch share a request', () => {
  const chunks = blobOf([1024 * KiB, 8 * KiB, 1024 * KiB, 9 * KiB, 1024 * KiB]);
  const isReady = (id: number): boolean => id === 1 || id === 3;
  assert.deepEqual(
    planOnDemand({ chunks, isReady }, [0, 2, 4]).map(({ chunkIds }) => chunkIds),
    [[0, 1, 2], [4]],
  );
});

test('prefetching everything merges neighbours up to the merging size', () => {
  const chunks = blobOf(Array<number>(5).fill(600 * KiB));
  assert.deepEqual(
    planPrefetch({ chunks, isReady: none }, 'all').map(({ chunkIds }) => chunkIds),
    [[0, 1], [2, 3], [4]],
  );
});

test('prefetching a list keeps its order', () => {
  const chunks = blobOf(Array<number>(5).fill(10 * KiB));
  assert.deepEqual(
    planPrefetch({ chunks, isReady: (id) => id === 3 }, [4, 0, 1, 0, 3, 9]).map(({ chunkIds }) => chunkIds),
    [[4], [0, 1]],
  );
});

const scene = fc.array(fc.integer({ min: 1, max: 700_000 }), { minLength: 1, maxLength: 60 }).chain((sizes) =>
  fc.record({
    chunks: fc.constant(blobOf(sizes)),
    ready: fc.uniqueArray(fc.nat(sizes.length - 1)).map((ids) => new Set(ids)),
    wanted: fc.uniqueArray(fc.nat(sizes.length - 1)),
    batchBytes: fc.constantFrom(0, 2 ** 17, 2 ** 20),
  }),
);

test('every plan covers what is missing, once, with requests that are sorted, apart and no larger than allowed', () => {
  fc.assert(
    fc.property(scene, ({ chunks, ready, wanted, batchBytes }) => {
      const isReady = (id: number): boolean => ready.has(id);
      const ranges = planOnDemand({ chunks, isReady }, wanted, batchBytes);
      const missing = new Set(wanted.filter((id) => !ready.has(id)));
      const fetched = ranges.flatMap(({ chunkIds }) => chunkIds);
      assert.equal(new Set(fetched).size, fetched.length);
      for (const id of missing) assert.ok(fetched.includes(id));
      for (const [index, range] of ranges.entries()) {
        const before = ranges[index - 1];
        assert.ok(before === undefined || before.lastByte < range.firstByte);
        assert.ok(missing.has(range.chunkIds[0] ?? -1), 'a request starts with a missing chunk');
        assert.ok(!ready.has(range.chunkIds.at(-1) ?? -1), 'a request ends with a chunk that was not local');
      }
      assert.equal(ranges.length === 0, missing.size === 0);
    }),
  );
});

test('prefetching everything fetches each missing chunk once and no local one', () => {
  fc.assert(
    fc.property(scene, ({ chunks, ready, batchBytes }) => {
      const ranges = planPrefetch({ chunks, isReady: (id) => ready.has(id) }, 'all', batchBytes);
      const fetched = ranges.flatMap(({ chunkIds }) => chunkIds);
      assert.deepEqual(
        fetched,
        chunks.map(({ chunkId }) => chunkId).filter((id) => !ready.has(id)),
      );
    }),
  );
});
