import type { BlobEntry } from './blob-entry.ts';
import { bootstrapInvalid } from './bootstrap-invalid.ts';
import { ByteReader } from './byte-reader.ts';
import { ChunkTable, type ChunkRef } from './chunk-table.ts';
import { findInDirectory, readDirectory, readLinkTarget, type DirectoryEntry } from './directory.ts';
import { readInode, type Inode } from './inode.ts';
import { blockSizeBytes, chunkIndexBytes, maxLinkTargetBytes } from './layout.ts';
import { readSuperBlocks, type SuperBlocks } from './super-blocks.ts';
import { readXattrs } from './xattr.ts';

/** As Linux: ELOOP after 40 symlinks on one path. */
const maxLinksFollowed = 40;
/** Nothing deeper can be named by a path (PATH_MAX, two bytes a level). */
const maxDepth = Math.ceil(maxLinkTargetBytes / 2);

/** A path of the image (`/usr/bin/env`, the root is `/`) and its inode. Hard links come once per name. */
export interface WalkedInode {
  readonly path: string;
  readonly inode: Inode;
  /** File type that the name's directory entry claims; the root has no entry. */
  readonly entryType: number | undefined;
  /** What a directory holds. */
  readonly entries: readonly DirectoryEntry[];
}

/**
 * A RAFS v6 bootstrap. Opening it reads only superblocks and blob table; everything else is read and checked when
 * asked for, and every method throws BOOTSTRAP_INVALID where the bytes make no sense.
 */
export class Bootstrap {
  readonly blobs: readonly BlobEntry[];
  readonly superBlocks: SuperBlocks;
  readonly #reader: ByteReader;
  readonly #chunks: ChunkTable;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes);
    this.superBlocks = readSuperBlocks(this.#reader);
    this.blobs = this.superBlocks.blobs;
    this.#chunks = new ChunkTable(this.#reader, this.superBlocks);
  }

  get chunkSizeBytes(): number {
    return this.superBlocks.chunkSizeBytes;
  }

  /** Chunks that this image uses, each once. */
  get chunkCount(): number {
    return this.#chunks.rowCount;
  }

  get root(): Inode {
    const root = readInode(this.#reader, this.superBlocks, this.superBlocks.rootNid);
    if (root.kind !== 'directory') throw bootstrapInvalid(`the root is a ${root.kind}`, 'superblock');
    return root;
  }

  /** What nydusd fetches right after the mount; the root alone means everything. */
  get prefetchNids(): number[] {
    const { offset, sizeBytes } = this.superBlocks.prefetchTable;
    return Array.from({ length: sizeBytes / 4 }, (_, index) =>
      this.#reader.u32(offset + index * 4, 'prefetch table'),
    );
  }

  inode(nid: number): Inode {
    return readInode(this.#reader, this.superBlocks, nid);
  }

  /** Entries of a directory in stored (byte) order, with `.` and `..`. */
  entries(directory: Inode): DirectoryEntry[] {
    return readDirectory(this.#reader, directory);
  }

  /** Where a symlink points, as stored. */
  linkTarget(link: Inode): string {
    return readLinkTarget(this.#reader, link);
  }

  xattrs(inode: Inode): Map<string, Uint8Array> {
    return readXattrs(this.#reader, inode);
  }

  /**
   * Resolves a path inside the image as the kernel does in a chroot: symlinks in the middle are always followed,
   * the last one unless `followLast` is false. Undefined when there is no such file, or after 40 symlinks.
   */
  lookup(path: string, { followLast = true }: { readonly followLast?: boolean } = {}): Inode | undefined {
    const trail = [this.root];
    const pending = path.split('/').reverse();
    let linksFollowed = 0;
    while (pending.length > 0) {
      const name = pending.pop() ?? '';
      const here = trail.at(-1);
      if (here?.kind !== 'directory') return undefined;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const nid = findInDirectory(this.#reader, here, Buffer.from(name));
      if (nid === undefined) return undefined;
      const found = this.inode(nid);
      const isLast = pending.every((rest) => rest === '');
      if (found.kind !== 'symlink' || (isLast && !followLast && pending.length === 0)) {
        trail.push(found);
        continue;
      }
      linksFollowed += 1;
      if (linksFollowed > maxLinksFollowed) return undefined;
      const target = this.linkTarget(found);
      if (target.startsWith('/')) trail.splice(1);
      pending.push(...target.split('/').reverse());
    }
    return trail.at(-1);
  }

  /** Every name of the image, parents before children, names in byte order. A cycle is BOOTSTRAP_INVALID. */
  *walk(): Generator<WalkedInode> {
    const { root } = this;
    // Directory data cannot be shared, so all of it together is smaller than the file; this bounds the work.
    let budgetBytes = this.#reader.sizeBytes;
    const visited = new Set([root.nid]);
    const list = (directory: Inode): DirectoryEntry[] => {
      budgetBytes -= directory.sizeBytes;
      if (budgetBytes < 0)
        throw bootstrapInvalid('directories share their data', `nid ${String(directory.nid)}`);
      return this.entries(directory);
    };
    const rootEntries = list(root);
    yield { path: '/', inode: root, entryType: undefined, entries: rootEntries };
    const levels: Level[] = [{ prefix: '/', entries: rootEntries, next: 0 }];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const entry = level.entries[level.next];
      level.next += 1;
      if (entry === undefined) {
        levels.pop();
        continue;
      }
      if (entry.name === '.' || entry.name === '..') continue;
      const path = level.prefix + entry.name;
      const inode = this.inode(entry.nid);
      if (inode.kind !== 'directory') {
        yield { path, inode, entryType: entry.type, entries: [] };
        continue;
      }
      if (visited.has(inode.nid))
        throw bootstrapInvalid('a directory has two names', `nid ${String(inode.nid)}`);
      if (levels.length >= maxDepth)
        throw bootstrapInvalid('directories are too deep', `nid ${String(inode.nid)}`);
      visited.add(inode.nid);
      const entries = list(inode);
      yield { path, inode, entryType: entry.type, entries };
      levels.push({ prefix: `${path}/`, entries, next: 0 });
    }
  }

  /** The chunks of a file in file order; empty for everything that has no data. */
  chunksOf(inode: Inode): ChunkRef[] {
    if (inode.kind !== 'file') return [];
    const { chunkSizeBytes } = this;
    const count = Math.ceil(inode.sizeBytes / chunkSizeBytes);
    this.#reader.requireRange(inode.tailOffset, count * chunkIndexBytes, 'chunk index');
    return Array.from({ length: count }, (_, index) => {
      const at = inode.tailOffset + index * chunkIndexBytes;
      const high = this.#reader.u16(at + 2, 'chunk index');
      const blobIndex = (high & 0xff) - 1;
      const chunkId = ((high >> 8) << 16) | this.#reader.u16(at, 'chunk index');
      const fileOffset = index * chunkSizeBytes;
      const chunk = this.#chunks.find(blobIndex, chunkId, fileOffset);
      if (
        chunk.uncompressedOffset !== this.#reader.u32(at + 4, 'chunk index') * blockSizeBytes ||
        chunk.uncompressedSizeBytes !== Math.min(chunkSizeBytes, inode.sizeBytes - fileOffset)
      )
        throw bootstrapInvalid(
          `chunk ${String(index)} and row ${String(chunkId)} of blob ${String(blobIndex)} disagree`,
          `nid ${String(inode.nid)}`,
        );
      return chunk;
    });
  }

  /** The chunks of a blob that this image uses, sorted by chunk id (and so by place in the blob). */
  chunksOfBlob(blobIndex: number): ChunkRef[] {
    return this.#chunks.ofBlob(blobIndex);
  }
}

/** A directory being walked. */
interface Level {
  readonly prefix: string;
  readonly entries: readonly DirectoryEntry[];
  next: number;
}

/** Opens a bootstrap (`image/image.boot` of a Nydus image). Throws BOOTSTRAP_INVALID or IMAGE_UNSUPPORTED. */
export function parseBootstrap(bytes: Uint8Array): Bootstrap {
  return new Bootstrap(bytes);
}
