import fs from 'node:fs/promises';
import path from 'node:path';
import type { BlobEntry } from '../../image/rafs/blob-entry.ts';
import type { ChunkRef } from '../../image/rafs/chunk-table.ts';
import { ChunkMapFile } from '../../image/rafs/chunk-map-file.ts';
import { readAndDiscard } from './unpacked-root.ts';

/** Suffixes of a blob's files in nydusd's cache directory. */
export const cacheSuffixes = {
  data: '.blob.data',
  chunkMap: '.blob.data.chunk_map',
  meta: '.blob.meta',
} as const;

/**
 * One data blob in a node's cache, as nydusd keeps it: `<id>.blob.data` is a sparse file with each chunk at its
 * uncompressed offset, `<id>.blob.data.chunk_map` says which chunks are there. Shared by all mounts of the node that
 * use the blob, also those of other images.
 */
export class BlobCache {
  readonly id: string;
  readonly metaFile: string;
  /** Chunks that somebody is fetching now; whoever else wants one waits for it instead of fetching it again. */
  readonly pending = new Map<number, Promise<void>>();
  readonly #data: fs.FileHandle;
  readonly #chunkMap: ChunkMapFile;

  private constructor(id: string, metaFile: string, data: fs.FileHandle, chunkMap: ChunkMapFile) {
    this.id = id;
    this.metaFile = metaFile;
    this.#data = data;
    this.#chunkMap = chunkMap;
  }

  /** Opens the blob's files in `directory`, or makes them. */
  static async open(directory: string, entry: BlobEntry): Promise<BlobCache> {
    const base = path.join(directory, entry.id);
    const { chunkCount } = entry;
    const data = await fs.open(base + cacheSuffixes.data, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644);
    try {
      await data.truncate(entry.uncompressedSizeBytes);
      const chunkMap = await ChunkMapFile.open(base + cacheSuffixes.chunkMap, { chunkCount, create: true });
      return new BlobCache(entry.id, base + cacheSuffixes.meta, data, chunkMap);
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  isReady(chunkId: number): boolean {
    return this.#chunkMap.map.isReady(chunkId);
  }

  /** Writes a verified chunk to the data file. It counts as there only after {@link markReady}. */
  async write(chunk: ChunkRef, content: Uint8Array): Promise<void> {
    for (let done = 0; done < content.length;) {
      const at = chunk.uncompressedOffset + done;
      const { bytesWritten } = await this.#data.write(content, done, content.length - done, at);
      done += bytesWritten;
    }
  }

  /** Promises that these chunks are in the data file. */
  async markReady(chunkIds: readonly number[]): Promise<void> {
    await this.#chunkMap.markReady(chunkIds);
  }

  /** Reads bytes of ready chunks from the cache file, and forgets them. */
  read(uncompressedOffset: number, length: number): void {
    readAndDiscard(this.#data.fd, uncompressedOffset, length);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.pending.values());
    await this.#data.close();
    await this.#chunkMap[Symbol.asyncDispose]();
  }
}
