import { bootstrapInvalid } from './bootstrap-invalid.ts';
import type { ByteReader } from './byte-reader.ts';
import { fileType, nidUnitBytes } from './layout.ts';
import type { SuperBlocks } from './super-blocks.ts';

/** What an inode is. */
export type InodeKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket';

/** One inode of a bootstrap; its data (names, target, chunks) is read on demand through the Bootstrap. */
export interface Inode {
  /** EROFS node id: what the prefetch table and nydusd's file metrics call it. */
  readonly nid: number;
  readonly kind: InodeKind;
  /** Whole st_mode, with the file type. */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkCount: number;
  /** Build time of the image where the inode has no time of its own (compact inodes). */
  readonly mtimeS: number;
  readonly mtimeNs: number;
  /** st_ino. */
  readonly number: number;
  /** First data block (directory, symlink), device number (character, block) or chunk header (file). */
  readonly info: number;
  readonly layout: 'plain' | 'inline' | 'chunked';
  /** Byte offsets in the bootstrap. */
  readonly xattrOffset: number;
  readonly xattrSizeBytes: number;
  /** Where inline data or the chunk index starts. */
  readonly tailOffset: number;
}

const kinds: Readonly<Record<number, InodeKind>> = {
  [fileType.file]: 'file',
  [fileType.directory]: 'directory',
  [fileType.symlink]: 'symlink',
  [fileType.character]: 'character',
  [fileType.block]: 'block',
  [fileType.fifo]: 'fifo',
  [fileType.socket]: 'socket',
};

const layouts: Readonly<Record<number, Inode['layout']>> = { 0: 'plain', 2: 'inline', 4: 'chunked' };

/** Reads the inode `nid`. Throws BOOTSTRAP_INVALID where it is not one. */
export function readInode(reader: ByteReader, blocks: SuperBlocks, nid: number): Inode {
  const offset = blocks.metadataOffset + nid * nidUnitBytes;
  reader.requireRange(offset, 32, 'inode');
  const format = reader.u16(offset, 'inode');
  const isExtended = (format & 1) === 1;
  if (isExtended) reader.requireRange(offset, 64, 'inode');
  const mode = reader.u16(offset + 4, 'mode');
  const kind = kinds[mode & fileType.mask];
  const layout = format < 16 ? layouts[format >> 1] : undefined;
  if (kind === undefined) throw bootstrapInvalid(`mode 0${mode.toString(8)}`, `nid ${String(nid)}`);
  if (layout === undefined || (kind === 'file') !== (layout === 'chunked'))
    throw bootstrapInvalid(`format ${String(format)} of a ${kind}`, `nid ${String(nid)}`);
  const xattrCount = reader.u16(offset + 2, 'xattr count');
  const xattrSizeBytes = xattrCount === 0 ? 0 : 12 + (xattrCount - 1) * 4;
  const xattrOffset = offset + (isExtended ? 64 : 32);
  const tailOffset = xattrOffset + xattrSizeBytes;
  reader.requireRange(xattrOffset, xattrSizeBytes, 'xattrs');
  return {
    nid,
    kind,
    mode,
    layout,
    sizeBytes: isExtended ? reader.u64(offset + 8, 'file size') : reader.u32(offset + 8, 'file size'),
    uid: isExtended ? reader.u32(offset + 24, 'uid') : reader.u16(offset + 24, 'uid'),
    gid: isExtended ? reader.u32(offset + 28, 'gid') : reader.u16(offset + 26, 'gid'),
    linkCount: isExtended ? reader.u32(offset + 44, 'links') : reader.u16(offset + 6, 'links'),
    mtimeS: isExtended ? reader.i64(offset + 32, 'mtime') : blocks.buildTimeS,
    mtimeNs: isExtended ? reader.u32(offset + 40, 'mtime') : 0,
    number: reader.u32(offset + 20, 'inode number'),
    info: reader.u32(offset + 16, 'inode info'),
    xattrOffset,
    xattrSizeBytes,
    tailOffset: kind === 'file' ? Math.ceil(tailOffset / 8) * 8 : tailOffset,
  };
}
