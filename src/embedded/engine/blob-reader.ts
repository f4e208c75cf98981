import { HarnessError } from '../../errors/harness-error.ts';
import type { BlobEntry } from '../../image/rafs/blob-entry.ts';
import { createChunkVerifier, type ChunkVerifier } from '../../image/rafs/chunk-digest.ts';
import type { ChunkRef } from '../../image/rafs/chunk-table.ts';
import { decodeChunk } from '../../image/rafs/decode-chunk.ts';
import { planOnDemand, planPrefetch, type FetchInput, type FetchRange } from '../../image/rafs/fetch-plan.ts';
import { blobFeatures } from '../../image/rafs/layout.ts';
import type { BlobCache } from './blob-cache.ts';
import { loadBlobMeta } from './blob-meta-file.ts';
import { inContext } from './containerd-error.ts';
import type { RegistryBackend } from './registry-backend.ts';

/** What this engine cannot read; nydusd can. */
const unsupported = blobFeatures.batch | blobFeatures.zran | blobFeatures.encrypted | blobFeatures.tarfs;

/** One mount's view of one data blob: its chunks, from the node's cache or through the mount's backend. */
export class BlobReader {
  readonly entry: BlobEntry;
  /** The image's chunks of this blob by chunk id. */
  readonly chunks: readonly ChunkRef[];
  readonly #byId: ReadonlyMap<number, ChunkRef>;
  readonly #verifier: Promise<ChunkVerifier>;
  readonly #input: FetchInput;
  readonly #cache: BlobCache;
  readonly #backend: RegistryBackend;
  readonly #amplifyBytes: number;
  readonly #signal: AbortSignal;
  readonly #meta: Promise<void>;

  /** Starts loading blob.meta at once; reads wait for it, the mount does not. `signal` ends with the mount. */
  constructor(options: {
    readonly entry: BlobEntry;
    readonly chunks: readonly ChunkRef[];
    readonly cache: BlobCache;
    readonly backend: RegistryBackend;
    readonly amplifyBytes: number;
    readonly signal: AbortSignal;
  }) {
    if ((options.entry.features & unsupported) !== 0) {
      throw new HarnessError(
        'IMAGE_UNSUPPORTED',
        `blob ${options.entry.id} has batched, encrypted or referenced chunks, which the embedded node cannot read`,
        { hint: 'Convert without --batch-size, --encrypt and --oci-ref, or measure on a real cluster.' },
      );
    }
    this.entry = options.entry;
    this.chunks = options.chunks;
    this.#byId = new Map(options.chunks.map((chunk) => [chunk.chunkId, chunk]));
    this.#verifier = createChunkVerifier(options.entry.digester);
    this.#input = { chunks: options.chunks, isReady: (chunkId) => options.cache.isReady(chunkId) };
    this.#cache = options.cache;
    this.#backend = options.backend;
    this.#amplifyBytes = options.amplifyBytes;
    this.#signal = options.signal;
    this.#meta = loadBlobMeta(options.entry, options.cache.metaFile, options.backend, options.signal);
    this.#meta.catch(() => undefined);
  }

  isReady(chunkId: number): boolean {
    return this.#cache.isReady(chunkId);
  }

  /** Reads bytes of chunks that are ready. */
  readCached(uncompressedOffset: number, length: number): void {
    this.#cache.read(uncompressedOffset, length);
  }

  /** Makes chunks ready: fetches what is missing, waits for what others are fetching. */
  async ensure(wanted: readonly ChunkRef[]): Promise<void> {
    await this.#meta;
    for (;;) {
      const missing = wanted.filter(({ chunkId }) => !this.#cache.isReady(chunkId));
      if (missing.length === 0) return;
      const mine = missing.filter(({ chunkId }) => !this.#cache.pending.has(chunkId));
      const others = missing.flatMap(({ chunkId }) => this.#cache.pending.get(chunkId) ?? []);
      if (mine.length > 0) {
        await this.#whilePending(mine, () => this.#fetchOnDemand(mine));
      } else {
        // If the other reader fails, the next round fetches for itself.
        await Promise.allSettled(others);
        this.#signal.throwIfAborted();
      }
    }
  }

  /** Requests that fetch chunks ahead of any read, merged as nydusd merges them. */
  planPrefetch(wanted: readonly ChunkRef[]): readonly FetchRange[] {
    return planPrefetch(this.#input, idsOf(wanted));
  }

  /** Does one prefetch request, or what is left of it: some chunks may have come, or be on their way, meanwhile. */
  async prefetch(planned: FetchRange): Promise<void> {
    await this.#meta;
    const mine = this.#missing(planned.chunkIds).filter(({ chunkId }) => !this.#cache.pending.has(chunkId));
    if (mine.length === 0) return;
    await this.#whilePending(mine, () => this.#fetchAll(planPrefetch(this.#input, idsOf(mine)), true));
  }

  #fetchOnDemand(wanted: readonly ChunkRef[]): Promise<void> {
    return this.#fetchAll(planOnDemand(this.#input, idsOf(wanted), this.#amplifyBytes), false);
  }

  #missing(chunkIds: readonly number[]): ChunkRef[] {
    return chunkIds.flatMap((chunkId) =>
      this.#cache.isReady(chunkId) ? [] : (this.#byId.get(chunkId) ?? []),
    );
  }

  /** Marks chunks as being fetched. As in nydusd, chunks that come along by amplification are not marked. */
  async #whilePending(chunks: readonly ChunkRef[], fetch: () => Promise<void>): Promise<void> {
    const done = fetch();
    for (const { chunkId } of chunks) this.#cache.pending.set(chunkId, done);
    try {
      await done;
    } finally {
      for (const { chunkId } of chunks) this.#cache.pending.delete(chunkId);
    }
  }

  async #fetchAll(planned: readonly FetchRange[], isPrefetch: boolean): Promise<void> {
    for (const range of planned) await this.#fetch(range, isPrefetch);
  }

  async #fetch({ firstByte, lastByte, chunkIds }: FetchRange, isPrefetch: boolean): Promise<void> {
    const range = { first: firstByte, last: lastByte };
    const bytes = await this.#backend.fetch(this.entry.id, range, { isPrefetch, signal: this.#signal });
    const verify = await this.#verifier;
    const missing = this.#missing(chunkIds);
    // The thread pool decodes several chunks at once: with small files a request brings a hundred of them.
    await Promise.all(
      missing.map(async (chunk) => {
        const at = chunk.compressedOffset - firstByte;
        const stored = bytes.subarray(at, at + chunk.compressedSizeBytes);
        const content = await decodeChunk(this.entry.compressor, chunk, stored);
        verify(chunk, content);
        await this.#store(() => this.#cache.write(chunk, content));
      }),
    );
    await this.#store(() => this.#cache.markReady(idsOf(missing)));
  }

  async #store(write: () => Promise<void>): Promise<void> {
    await write().catch((error: unknown) => {
      throw inContext(`blob cache of ${this.entry.id}`, error);
    });
  }
}

const idsOf = (chunks: readonly ChunkRef[]): number[] => chunks.map(({ chunkId }) => chunkId);
