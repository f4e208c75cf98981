import type { Bootstrap } from '../../image/rafs/bootstrap.ts';
import type { ChunkRef } from '../../image/rafs/chunk-table.ts';
import type { BlobCaches } from './blob-caches.ts';
import { BlobReader } from './blob-reader.ts';
import { prefetch, type NodePrefetch } from './prefetch.ts';
import type { BackendCounters, RegistryBackend } from './registry-backend.ts';
import type { RootFile, RootFilesystem, RootMount } from './root-filesystem.ts';
import { readWindowBytes } from './unpacked-root.ts';

/** nydusd's default since 2.3: a read on demand is widened to this many compressed bytes. */
export const defaultAmplifyBytes = 1024 * 1024;

/** How much of an image's data is in the node's cache. */
export interface ChunkMapCounters {
  readonly readyChunks: number;
  readonly totalChunks: number;
  readonly readyCompressedBytes: number;
  readonly totalCompressedBytes: number;
}

/**
 * A Nydus image mounted on a node: what one dedicated nydusd does. Metadata is the bootstrap; data comes chunk by
 * chunk from the node's blob cache, or through the backend when it is read for the first time.
 */
export class NydusMount implements AsyncDisposable {
  readonly id: string;
  readonly #bootstrap: Bootstrap;
  readonly #readers: readonly BlobReader[];
  readonly #backend: RegistryBackend;
  readonly #caches: BlobCaches;
  readonly #stop: AbortController;
  readonly #prefetching: Promise<void>;
  #servedBytes = 0;

  private constructor(options: {
    readonly id: string;
    readonly bootstrap: Bootstrap;
    readonly readers: readonly BlobReader[];
    readonly backend: RegistryBackend;
    readonly caches: BlobCaches;
    readonly stop: AbortController;
    readonly prefetch: NodePrefetch;
  }) {
    this.id = options.id;
    this.#bootstrap = options.bootstrap;
    this.#readers = options.readers;
    this.#backend = options.backend;
    this.#caches = options.caches;
    this.#stop = options.stop;
    this.#prefetching = prefetch(options.bootstrap, options.readers, options.prefetch, options.stop.signal);
  }

  /** Opens the blob caches, starts loading blob.meta and prefetching, and is ready to serve before either is done. */
  static async mount(options: {
    readonly id: string;
    readonly bootstrap: Bootstrap;
    readonly backend: RegistryBackend;
    readonly caches: BlobCaches;
    readonly prefetch: NodePrefetch;
    readonly amplifyBytes: number;
  }): Promise<NydusMount> {
    const { bootstrap, backend, caches, amplifyBytes } = options;
    const stop = new AbortController();
    const acquired: string[] = [];
    try {
      const readers: BlobReader[] = [];
      for (const entry of bootstrap.blobs) {
        const cache = await caches.acquire(entry);
        acquired.push(entry.id);
        const chunks = bootstrap.chunksOfBlob(entry.index);
        readers.push(new BlobReader({ entry, chunks, cache, backend, amplifyBytes, signal: stop.signal }));
      }
      return new NydusMount({ ...options, readers, stop });
    } catch (error) {
      stop.abort();
      for (const blobId of acquired) await caches.release(blobId);
      throw error;
    }
  }

  counters(): BackendCounters & { readonly servedBytes: number } {
    return { ...this.#backend.counters(), servedBytes: this.#servedBytes };
  }

  /** Ids of the data blobs that the image reads. */
  get blobIds(): readonly string[] {
    return this.#readers.map(({ entry }) => entry.id);
  }

  chunkMap(): ChunkMapCounters {
    let [readyChunks, totalChunks, readyCompressedBytes, totalCompressedBytes] = [0, 0, 0, 0];
    for (const reader of this.#readers) {
      for (const { chunkId, compressedSizeBytes } of reader.chunks) {
        totalChunks += 1;
        totalCompressedBytes += compressedSizeBytes;
        if (!reader.isReady(chunkId)) continue;
        readyChunks += 1;
        readyCompressedBytes += compressedSizeBytes;
      }
    }
    return { readyChunks, totalChunks, readyCompressedBytes, totalCompressedBytes };
  }

  /** Settles when prefetch has ended, however it ended. */
  get prefetched(): Promise<void> {
    return this.#prefetching;
  }

  /** The mount as a container's root: one lower directory, as nydus-snapshotter gives it to overlayfs. */
  root(): RootFilesystem {
    const mountpoint = `/snapshots/${this.id}/mnt`;
    const mount: RootMount = {
      snapshotter: 'nydus',
      lowerDirectories: 1,
      daemon: { id: this.id, mountpoint },
    };
    return {
      mount,
      open: (path) => this.#open(path),
      regularFiles: () => this.#regularFiles(),
      close: () => undefined,
    };
  }

  /** Stops prefetch and everything that is still being fetched. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#prefetching;
    for (const { entry } of this.#readers) await this.#caches.release(entry.id);
  }

  *#regularFiles(): Generator<string> {
    for (const { path, inode } of this.#bootstrap.walk()) if (inode.kind === 'file') yield path;
  }

  #open(path: string): RootFile | undefined {
    const inode = this.#bootstrap.lookup(path);
    if (inode?.kind !== 'file') return undefined;
    const chunks = this.#bootstrap.chunksOf(inode);
    return {
      sizeBytes: inode.sizeBytes,
      read: (offset, length, signal) => {
        const wanted = this.#chunksIn(chunks, offset, length);
        this.#servedBytes += length;
        if (wanted.every((chunk) => this.#readerOf(chunk).isReady(chunk.chunkId))) {
          this.#readCached(wanted, offset, length);
          return undefined;
        }
        return this.#readThrough(wanted, offset, length, signal);
      },
    };
  }

  #chunksIn(chunks: readonly ChunkRef[], offset: number, length: number): readonly ChunkRef[] {
    const { chunkSizeBytes } = this.#bootstrap;
    return chunks.slice(Math.floor(offset / chunkSizeBytes), Math.ceil((offset + length) / chunkSizeBytes));
  }

  /** A long read reaches nydusd in the kernel's windows, one after the other. */
  async #readThrough(
    chunks: readonly ChunkRef[],
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<void> {
    const end = offset + length;
    for (let at = offset; at < end;) {
      const windowEnd = Math.min(end, (Math.floor(at / readWindowBytes) + 1) * readWindowBytes);
      const wanted = chunks.filter(
        ({ fileOffset, uncompressedSizeBytes }) =>
          fileOffset < windowEnd && fileOffset + uncompressedSizeBytes > at,
      );
      for (const [reader, own] of Map.groupBy(wanted, (chunk) => this.#readerOf(chunk))) {
        await abortable(reader.ensure(own), signal);
      }
      this.#readCached(wanted, at, windowEnd - at);
      at = windowEnd;
    }
  }

  #readCached(chunks: readonly ChunkRef[], offset: number, length: number): void {
    for (const chunk of chunks) {
      const from = Math.max(offset, chunk.fileOffset);
      const to = Math.min(offset + length, chunk.fileOffset + chunk.uncompressedSizeBytes);
      if (to <= from) continue;
      this.#readerOf(chunk).readCached(chunk.uncompressedOffset + from - chunk.fileOffset, to - from);
    }
  }

  #readerOf(chunk: ChunkRef): BlobReader {
    const reader = this.#readers[chunk.blobIndex];
    if (reader === undefined) throw new Error(`blob ${String(chunk.blobIndex)} is not in the blob table`);
    return reader;
  }
}

/** Gives up waiting when the reader is stopped; the fetch goes on for whoever else waits for it. */
async function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new DOMException('the read was stopped', 'AbortError'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => undefined);
  }
}
