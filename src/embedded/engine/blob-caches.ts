import fs from 'node:fs/promises';
import path from 'node:path';
import type { BlobEntry } from '../../image/rafs/blob-entry.ts';
import { BlobCache, cacheSuffixes } from './blob-cache.ts';

/** A node's blob cache directory: shared by all its mounts, like the directory that nydusd's daemons share. */
export class BlobCaches {
  readonly #directory: string;
  readonly #open = new Map<string, { readonly cache: Promise<BlobCache>; users: number }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens a blob's cache, or joins those who have it open. Every acquire needs a release. */
  async acquire(entry: BlobEntry): Promise<BlobCache> {
    const open = this.#open.get(entry.id) ?? { cache: BlobCache.open(this.#directory, entry), users: 0 };
    this.#open.set(entry.id, open);
    open.users += 1;
    try {
      return await open.cache;
    } catch (error) {
      this.#open.delete(entry.id);
      throw error;
    }
  }

  async release(blobId: string): Promise<void> {
    const open = this.#open.get(blobId);
    if (open === undefined) return;
    open.users -= 1;
    if (open.users > 0) return;
    this.#open.delete(blobId);
    await (await open.cache).close();
  }

  /** Names of the files that the cache holds of a blob. */
  async filesOf(blobId: string): Promise<string[]> {
    const names = await fs.readdir(this.#directory);
    return names.filter((name) => name.startsWith(`${blobId}.`)).sort();
  }

  /** Removes a blob's files, unless a mount uses them. Says whether they are gone. */
  async remove(blobId: string): Promise<boolean> {
    if (this.#open.has(blobId)) return false;
    for (const suffix of Object.values(cacheSuffixes)) {
      await fs.rm(path.join(this.#directory, blobId + suffix), { force: true });
    }
    return true;
  }
}
