import { bootstrapInvalid } from './bootstrap-invalid.ts';
import type { ByteReader } from './byte-reader.ts';
import type { Inode } from './inode.ts';
import { blockSizeBytes, direntBytes, maxNameBytes } from './layout.ts';

/** One name in a directory, `.` and `..` included. */
export interface DirectoryEntry {
  readonly name: string;
  readonly nid: number;
  /** EROFS file type: 1 file, 2 directory, 3 character, 4 block, 5 fifo, 6 socket, 7 symlink. */
  readonly type: number;
}

/** A run of an inode's data that is contiguous in the bootstrap. */
interface DataBlock {
  readonly offset: number;
  readonly sizeBytes: number;
}

const dataBlock = (inode: Inode, index: number): DataBlock => {
  const sizeBytes = Math.min(blockSizeBytes, inode.sizeBytes - index * blockSizeBytes);
  const isTail = inode.layout === 'inline' && sizeBytes < blockSizeBytes;
  return { offset: isTail ? inode.tailOffset : (inode.info + index) * blockSizeBytes, sizeBytes };
};

const blockCount = (inode: Inode): number => Math.ceil(inode.sizeBytes / blockSizeBytes);

/** Names and targets live inside the bootstrap: something larger than it is a lie, and would only cost time. */
function requirePlausible(reader: ByteReader, inode: Inode): void {
  if (inode.sizeBytes > reader.sizeBytes)
    throw bootstrapInvalid(`a ${inode.kind} of ${String(inode.sizeBytes)} bytes`, `nid ${String(inode.nid)}`);
}

const inDirectory = (inode: Inode, offset: number): string =>
  `directory nid ${String(inode.nid)}, block at ${String(offset)}`;

function entryCount(reader: ByteReader, inode: Inode, block: DataBlock): number {
  reader.requireRange(block.offset, block.sizeBytes, 'directory block');
  if (block.sizeBytes < direntBytes + 1)
    throw bootstrapInvalid('too short for one name', inDirectory(inode, block.offset));
  const first = reader.u16(block.offset + 8, 'name offset');
  if (first === 0 || first % direntBytes !== 0 || first >= block.sizeBytes)
    throw bootstrapInvalid(`first name at ${String(first)}`, inDirectory(inode, block.offset));
  return first / direntBytes;
}

/** Where name `index` of a block lies. */
function nameSpan(
  reader: ByteReader,
  inode: Inode,
  block: DataBlock,
  index: number,
  count: number,
): DataBlock {
  const at = block.offset + index * direntBytes;
  const start = reader.u16(at + 8, 'name offset');
  const limit =
    index + 1 < count
      ? reader.u16(at + direntBytes + 8, 'name offset')
      : Math.min(block.sizeBytes, start + 256);
  if (start < count * direntBytes || limit <= start || limit > block.sizeBytes)
    throw bootstrapInvalid(
      `name from ${String(start)} to ${String(limit)}`,
      inDirectory(inode, block.offset),
    );
  const from = block.offset + start;
  const end = index + 1 < count ? block.offset + limit : reader.endOfText(from, block.offset + limit);
  if (end === from || end - from > maxNameBytes)
    throw bootstrapInvalid(`a name of ${String(end - from)} bytes`, inDirectory(inode, block.offset));
  return { offset: from, sizeBytes: end - from };
}

/** All entries of a directory in stored order. Throws BOOTSTRAP_INVALID. */
export function readDirectory(reader: ByteReader, inode: Inode): DirectoryEntry[] {
  requirePlausible(reader, inode);
  const entries: DirectoryEntry[] = [];
  for (let index = 0; index < blockCount(inode); index += 1) {
    const block = dataBlock(inode, index);
    const count = entryCount(reader, inode, block);
    for (let k = 0; k < count; k += 1) {
      const span = nameSpan(reader, inode, block, k, count);
      const name = reader.text(span.offset, span.sizeBytes, 'name');
      if (name.includes('/') || name.includes('\0'))
        throw bootstrapInvalid('a name with a slash or a NUL', inDirectory(inode, block.offset));
      const at = block.offset + k * direntBytes;
      entries.push({ name, nid: reader.u64(at, 'nid'), type: reader.u8(at + 10, 'file type') });
    }
  }
  return entries;
}

/** Largest index in `[0, count)` for which `isAtOrBefore` holds, -1 for none; it must hold for a prefix only. */
function lastWhere(count: number, isAtOrBefore: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAtOrBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Finds `name` as the kernel does: binary search over the blocks' first names, then inside the block. */
export function findInDirectory(reader: ByteReader, inode: Inode, name: Uint8Array): number | undefined {
  requirePlausible(reader, inode);
  const order = (block: DataBlock, index: number, count: number): number => {
    const span = nameSpan(reader, inode, block, index, count);
    return reader.compareText(span.offset, span.sizeBytes, name);
  };
  const blockIndex = lastWhere(blockCount(inode), (index) => {
    const block = dataBlock(inode, index);
    return order(block, 0, entryCount(reader, inode, block)) <= 0;
  });
  if (blockIndex < 0) return undefined;
  const block = dataBlock(inode, blockIndex);
  const count = entryCount(reader, inode, block);
  const found = lastWhere(count, (index) => order(block, index, count) <= 0);
  if (found < 0 || order(block, found, count) !== 0) return undefined;
  return reader.u64(block.offset + found * direntBytes, 'nid');
}

/** Target of a symlink. Throws BOOTSTRAP_INVALID. */
export function readLinkTarget(reader: ByteReader, inode: Inode): string {
  if (inode.sizeBytes === 0 || inode.sizeBytes > blockSizeBytes)
    throw bootstrapInvalid(
      `a symlink target of ${String(inode.sizeBytes)} bytes`,
      `nid ${String(inode.nid)}`,
    );
  const block = dataBlock(inode, 0);
  return reader.text(block.offset, block.sizeBytes, 'symlink target');
}
