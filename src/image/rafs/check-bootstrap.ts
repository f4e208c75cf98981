import { bootstrapInvalid } from './bootstrap-invalid.ts';
import { Bootstrap, type WalkedInode } from './bootstrap.ts';
import type { InodeKind } from './inode.ts';
import { chunkIndexBytes } from './layout.ts';

/** What a check counted on its way. */
export interface BootstrapSummary {
  /** Distinct inodes by kind; hard links count once. */
  readonly inodes: Readonly<Record<InodeKind, number>>;
  readonly inodeCount: number;
  /** Names, the root included. */
  readonly nameCount: number;
  /** Sum of the sizes of distinct regular files. */
  readonly fileSizeBytes: number;
  /** Chunk index entries of distinct files. */
  readonly chunkReferenceCount: number;
  /** Distinct chunks used. */
  readonly chunkCount: number;
  readonly blobCount: number;
}

/** File type in a directory entry → kind. */
const kindOfType: Readonly<Record<number, InodeKind>> = {
  1: 'file',
  2: 'directory',
  3: 'character',
  4: 'block',
  5: 'fifo',
  6: 'socket',
  7: 'symlink',
};

const surrogate = /[\ud800-\udfff]/;

/** Order of names by bytes; that of UTF-16 units is the same but for surrogates. */
function isBefore(first: string, second: string): boolean {
  return surrogate.test(first) || surrogate.test(second)
    ? Buffer.compare(Buffer.from(first), Buffer.from(second)) < 0
    : first < second;
}

function checkNames({ inode, entries }: WalkedInode): void {
  const where = `directory nid ${String(inode.nid)}`;
  let previous: string | undefined;
  let own = 0;
  for (const { name, nid, type } of entries) {
    if (previous !== undefined && !isBefore(previous, name))
      throw bootstrapInvalid(`'${name}' is not in order`, where);
    previous = name;
    if (name !== '.' && name !== '..') continue;
    own += 1;
    if (kindOfType[type] !== 'directory' || (name === '.' && nid !== inode.nid))
      throw bootstrapInvalid(`'${name}' is something else`, where);
  }
  if (own !== 2) throw bootstrapInvalid('`.` or `..` is missing', where);
}

/**
 * Reads everything there is in a bootstrap: each name, inode, attribute, symlink target and chunk. Throws
 * BOOTSTRAP_INVALID at the first thing that is wrong. Work and memory are bounded by the size of `bytes`.
 */
export function checkBootstrap(bytes: Uint8Array): BootstrapSummary {
  const bootstrap = new Bootstrap(bytes);
  const inodes = { file: 0, directory: 0, symlink: 0, character: 0, block: 0, fifo: 0, socket: 0 };
  const seen = new Set<number>();
  const total = { names: 0, fileSizeBytes: 0, references: 0 };
  for (const walked of bootstrap.walk()) {
    const { inode, entryType } = walked;
    total.names += 1;
    if (entryType !== undefined && kindOfType[entryType] !== inode.kind)
      throw bootstrapInvalid(
        `'${walked.path}' has type ${String(entryType)} but is a ${inode.kind}`,
        'directory',
      );
    if (seen.has(inode.nid)) continue;
    seen.add(inode.nid);
    inodes[inode.kind] += 1;
    bootstrap.xattrs(inode);
    if (inode.kind === 'directory') checkNames(walked);
    if (inode.kind === 'symlink') bootstrap.linkTarget(inode);
    if (inode.kind !== 'file') continue;
    total.references += Math.ceil(inode.sizeBytes / bootstrap.chunkSizeBytes);
    // Index arrays cannot be shared either.
    if (total.references * chunkIndexBytes > bytes.length)
      throw bootstrapInvalid('files share their chunk index', `nid ${String(inode.nid)}`);
    total.fileSizeBytes += inode.sizeBytes;
    bootstrap.chunksOf(inode);
  }
  // nydus-image counts every name of a hard link.
  if (seen.size > bootstrap.superBlocks.inodeCount)
    throw bootstrapInvalid(
      `${String(bootstrap.superBlocks.inodeCount)} inodes announced, ${String(seen.size)} found`,
      'superblock',
    );
  for (const nid of bootstrap.prefetchNids) bootstrap.inode(nid);
  for (const { index } of bootstrap.blobs) bootstrap.chunksOfBlob(index);
  return {
    inodes,
    inodeCount: seen.size,
    nameCount: total.names,
    fileSizeBytes: total.fileSizeBytes,
    chunkReferenceCount: total.references,
    chunkCount: bootstrap.chunkCount,
    blobCount: bootstrap.blobs.length,
  };
}
