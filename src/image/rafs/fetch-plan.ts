import type { ChunkRef } from './chunk-table.ts';

/** The parts of a chunk that planning needs. */
export type PlannedChunk = Pick<ChunkRef, 'chunkId' | 'compressedOffset' | 'compressedSizeBytes'>;

/** One request for a blob: an inclusive byte range, and the known chunks that lie wholly in it. */
export interface FetchRange {
  readonly firstByte: number;
  readonly lastByte: number;
  readonly chunkIds: readonly number[];
}

/** What a plan starts from. */
export interface FetchInput {
  /** All known chunks of one blob, sorted by id (and so by place). */
  readonly chunks: readonly PlannedChunk[];
  readonly isReady: (chunkId: number) => boolean;
}

/** nydusd never goes below this, and takes 0 for it (nydus, storage/src/cache/cachedfile.rs). */
const minBatchBytes = 128 * 1024;
/** nydusd >= 2.3; before, 128 KiB. */
export const defaultBatchBytes = 2 ** 20;
/** A gap of up to batch / 2^7 between two missing chunks is fetched along: 8 KiB of 1 MiB. */
const gapShift = 7;

const startOf = (chunk: PlannedChunk): number => chunk.compressedOffset;
const endOf = (chunk: PlannedChunk): number => chunk.compressedOffset + chunk.compressedSizeBytes;

function rangeOf(chunks: readonly PlannedChunk[]): FetchRange[] {
  const [first] = chunks;
  const last = chunks.at(-1);
  if (first === undefined || last === undefined) return [];
  return [
    { firstByte: startOf(first), lastByte: endOf(last) - 1, chunkIds: chunks.map(({ chunkId }) => chunkId) },
  ];
}

/** The listed chunks with these ids, in the order of the ids; unknown ids are left out. */
function* chunksWithIds(chunks: readonly PlannedChunk[], ids: Iterable<number>): Generator<number> {
  for (const id of ids) {
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((chunks[middle]?.chunkId ?? Infinity) < id) low = middle + 1;
      else high = middle;
    }
    if (chunks[low]?.chunkId === id) yield low;
  }
}

/**
 * What nydusd asks of the registry for a read that needs `wanted` chunks. From the first missing one, the request
 * grows over the blob's next chunks as long as it stays within the batch; chunks already local are cut off its end,
 * but fetched again in its middle. Missing chunks closer than batch / 128 share a request, however long. A chunk is
 * never divided.
 *
 * Where the list lacks chunks (a merged image does not use them), their bytes may lie inside a range all the same:
 * nydusd extends over every chunk of the blob.
 */
export function planOnDemand(
  { chunks, isReady }: FetchInput,
  wanted: Iterable<number>,
  batchBytes: number = defaultBatchBytes,
): FetchRange[] {
  const limitBytes = Math.max(batchBytes, minBatchBytes);
  const gapBytes = limitBytes >> gapShift;
  const missing = [...chunksWithIds(chunks, new Set(wanted))]
    .filter((at) => !isReady(chunks[at]?.chunkId ?? -1))
    .sort((a, b) => a - b);
  const startAt = (at: number): number => chunks[at]?.compressedOffset ?? Infinity;
  const endAt = (at: number): number => {
    const chunk = chunks[at];
    return chunk === undefined ? Infinity : endOf(chunk);
  };
  const ranges: FetchRange[] = [];
  let next = 0;
  for (let first = missing[next]; first !== undefined; first = missing[next]) {
    let last = first;
    let isGrowing = true;
    while (isGrowing) {
      isGrowing = false;
      // Wanted chunks inside the range, or close behind it.
      for (let at = missing[next]; at !== undefined; at = missing[next]) {
        if (at > last && startAt(at) - endAt(last) > gapBytes) break;
        last = Math.max(last, at);
        next += 1;
      }
      let end = last;
      while (endAt(end + 1) <= startAt(first) + limitBytes) end += 1;
      while (end > last && isReady(chunks[end]?.chunkId ?? -1)) end -= 1;
      if (end > last) {
        last = end;
        isGrowing = true;
      }
    }
    ranges.push(...rangeOf(chunks.slice(first, last + 1)));
  }
  return ranges;
}

/** What to prefetch: everything, or chunks in the order in which they shall come (whole files of a list). */
export type PrefetchWish = 'all' | Iterable<number>;

/**
 * What nydusd's prefetch threads ask for: missing chunks in wish order; neighbours in the blob share a request
 * until it has reached the merging size (so a request can be larger by less than one chunk).
 */
export function planPrefetch(
  { chunks, isReady }: FetchInput,
  wish: PrefetchWish,
  mergingBytes: number = defaultBatchBytes,
): FetchRange[] {
  const limitBytes = Math.max(mergingBytes, minBatchBytes);
  const positions = wish === 'all' ? chunks.keys() : chunksWithIds(chunks, new Set(wish));
  const ranges: FetchRange[] = [];
  let current: PlannedChunk[] = [];
  for (const position of positions) {
    const chunk = chunks[position];
    if (chunk === undefined || isReady(chunk.chunkId)) continue;
    const [first] = current;
    const last = current.at(-1);
    const joins =
      first !== undefined &&
      last !== undefined &&
      startOf(chunk) === endOf(last) &&
      endOf(last) - startOf(first) < limitBytes;
    if (!joins) {
      ranges.push(...rangeOf(current));
      current = [];
    }
    current.push(chunk);
  }
  return [...ranges, ...rangeOf(current)];
}
