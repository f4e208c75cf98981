import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { isTmpfs } from '../work-directory.ts';

/** The snapshotter that a runtime handler uses. */
export type Snapshotter = 'overlayfs' | 'nydus';

/** Chain ids of a stack of layers (image-spec, config.md, "Layer ChainID"): one per layer, the last is the whole. */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(
      below === undefined
        ? diffId
        : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    );
  }
  return chain;
}

/** With more free space than this, removed snapshots may wait for the end of the run. */
const roomyBytes = 10 * 2 ** 30;

/**
 * Unpacked layers on disk. containerd makes one snapshot per layer and lets overlayfs put them together; without a
 * kernel mount every read would have to search the layers, so here the layers of an image are unpacked over one
 * another into one directory, named for the chain id of the last. The bytes fetched, decompressed and written are
 * the same (files that a higher layer replaces are written and removed again); what is lost is that two images which
 * share only their lower layers share no unpacked files, only the compressed ones in the content store.
 */
export class Snapshots {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where the snapshot's files are. */
  pathOf(snapshotter: Snapshotter, chainId: string): string {
    return path.join(this.#directory, snapshotter, 'snapshots', chainId.slice('sha256:'.length), 'fs');
  }

  async has(snapshotter: Snapshotter, chainId: string): Promise<boolean> {
    return fs.access(this.pathOf(snapshotter, chainId)).then(
      () => true,
      () => false,
    );
  }

  /** Makes a snapshot: `fill` writes into a directory that becomes the snapshot when it is complete, or vanishes. */
  async make(
    snapshotter: Snapshotter,
    chainId: string,
    fill: (directory: string) => Promise<void>,
  ): Promise<void> {
    const target = path.dirname(this.pathOf(snapshotter, chainId));
    const partial = path.join(path.dirname(target), `extract-${randomBytes(8).toString('hex')}`);
    try {
      await fs.mkdir(path.join(partial, 'fs'), { recursive: true });
      await fill(path.join(partial, 'fs'));
      await fs.rename(partial, target).catch((error: unknown) => {
        // Another pull of the same layers was faster: its snapshot is as good.
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      });
    } finally {
      await fs.rm(partial, { recursive: true, force: true });
    }
  }

  /**
   * Takes a snapshot away at once, by renaming it, and frees its space only when the disk needs it. Freeing thousands
   * of files right before thousands are written makes the writing up to ten times slower for half a minute: ext4
   * passes over inodes that were freed a moment ago (fs/ext4/ialloc.c, recently_deleted). That would show as a pull
   * that gets slower from trial to trial.
   */
  async remove(snapshotter: Snapshotter, chainId: string): Promise<void> {
    const removed = path.join(this.#directory, 'removed');
    await fs.mkdir(removed, { recursive: true });
    const source = path.dirname(this.pathOf(snapshotter, chainId));
    await fs.rename(source, path.join(removed, randomBytes(8).toString('hex'))).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ENOENT') throw error;
    });
    const { bavail, bsize } = await fs.statfs(this.#directory);
    if (bavail * bsize < roomyBytes || (await isTmpfs(this.#directory)))
      await fs.rm(removed, { recursive: true, force: true });
  }
}
