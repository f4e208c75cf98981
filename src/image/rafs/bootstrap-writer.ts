import { HarnessError } from '../../errors/harness-error.ts';
import type { BlobEntry } from './blob-entry.ts';
import { inodeBytes, placeNodes, type PlacedNode, type PlacedTree } from './bootstrap-layout.ts';
import type { FileTree, TreeNode } from './file-tree.ts';
import {
  alignUp,
  blobEntryBytes,
  blockSizeBits,
  blockSizeBytes,
  chunkFlags,
  chunkIndexBytes,
  chunkRowBytes,
  compressors,
  deviceTable,
  digesters,
  direntBytes,
  extendedSuperblock,
  fileType,
  incompatFeatures,
  maxBlobs,
  rafsV6Mark,
  superblock,
  superFlags,
} from './layout.ts';
import type { StoredChunk } from './stored-chunk.ts';

/** What goes into a bootstrap. */
export interface BootstrapContent {
  readonly tree: FileTree;
  /** Blobs by the key that their chunks carry, in the order of the blob table; only those that are used. */
  readonly blobs: ReadonlyMap<number, Omit<BlobEntry, 'index'>>;
  readonly chunkSizeBytes: number;
  readonly compressor: 'none' | 'zstd';
  /** What nydusd shall fetch first, in this order. */
  readonly prefetch: readonly TreeNode[];
}

/** nydusd expects devices as if they were concatenated behind the bootstrap at such boundaries. */
const deviceAlignmentBytes = 0x80000;

const entryTypes = { file: 1, directory: 2, character: 3, block: 4, fifo: 5, symlink: 7 } as const;
const layoutBits = { plain: 0, inline: 2, chunked: 4 } as const;

/** Where everything goes. */
interface Plan {
  readonly blobTableOffset: number;
  readonly prefetchTableOffset: number;
  readonly metadataOffset: number;
  readonly chunkTableOffset: number;
  readonly sizeBytes: number;
}

/** Distinct chunks of the tree, each with the first place that uses it. */
interface UsedChunk {
  readonly chunk: StoredChunk;
  readonly fileOffset: number;
}

/** Chunks in file order over all files: what a bootstrap for this tree refers to. */
export function usedChunks(tree: FileTree, chunkSizeBytes: number): UsedChunk[] {
  const used = new Map<StoredChunk, UsedChunk>();
  const pending: TreeNode[] = [tree.root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.body.kind === 'directory')
      for (const { node: child } of node.body.children.values()) pending.push(child);
    if (node.body.kind !== 'file') continue;
    for (const [index, chunk] of node.body.chunks.entries())
      if (!used.has(chunk)) used.set(chunk, { chunk, fileOffset: index * chunkSizeBytes });
  }
  return [...used.values()];
}

/** Linux' new_encode_dev, which EROFS uses. */
const encodeDevice = (major: number, minor: number): number =>
  ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)) >>> 0;

/**
 * Serialises a merged tree as a RAFS v6 bootstrap. The same content gives the same bytes: no build time, no
 * random uuid, all tables sorted. Throws IMAGE_UNSUPPORTED for more blobs than the format can number.
 */
export function writeBootstrap(content: BootstrapContent): Buffer {
  return new BootstrapWriter(content).write();
}

class BootstrapWriter {
  readonly #content: BootstrapContent;
  readonly #blobs: readonly BlobEntry[];
  readonly #blobIndexes: ReadonlyMap<number, number>;
  readonly #chunks: readonly UsedChunk[];
  readonly #plan: Plan;
  readonly #placed: PlacedTree;
  readonly #out: Buffer;

  constructor(content: BootstrapContent) {
    this.#content = content;
    const keys = [...content.blobs.keys()];
    if (keys.length > maxBlobs)
      throw new HarnessError(
        'IMAGE_UNSUPPORTED',
        `${String(keys.length)} data blobs; RAFS v6 has room for ${String(maxBlobs)}`,
      );
    this.#blobIndexes = new Map(keys.map((key, index) => [key, index]));
    this.#blobs = [...content.blobs.values()].map((entry, index) => ({ ...entry, index }));
    this.#chunks = this.#sortChunks();
    const count = keys.length;
    const blobTableOffset = alignUp(deviceTable.offset + deviceTable.slotBytes * count, blockSizeBytes);
    const prefetchTableOffset = blobTableOffset + blobEntryBytes * count;
    // An image without blobs has no tables, and its metadata area starts at 0.
    const metadataOffset =
      count === 0 ? 0 : alignUp(prefetchTableOffset + 4 * content.prefetch.length, blockSizeBytes);
    this.#placed = placeNodes(content.tree, metadataOffset);
    const chunkTableOffset = this.#placed.endOffset;
    const sizeBytes = alignUp(chunkTableOffset + this.#chunks.length * chunkRowBytes, blockSizeBytes);
    this.#plan = { blobTableOffset, prefetchTableOffset, metadataOffset, chunkTableOffset, sizeBytes };
    this.#out = Buffer.alloc(sizeBytes);
  }

  write(): Buffer {
    for (const placed of this.#placed.nodes.values()) this.#writeInode(placed);
    for (const [row, used] of this.#chunks.entries())
      this.#writeChunkRow(this.#plan.chunkTableOffset + row * chunkRowBytes, used);
    for (const blob of this.#blobs) this.#writeBlobEntry(blob);
    this.#writeDevices();
    this.#writePrefetchTable();
    this.#writeSuperblock();
    this.#writeExtendedSuperblock();
    return this.#out;
  }

  #sortChunks(): UsedChunk[] {
    return usedChunks(this.#content.tree, this.#content.chunkSizeBytes).sort(
      (a, b) => Buffer.compare(a.chunk.digest, b.chunk.digest) || a.chunk.blobKey - b.chunk.blobKey,
    );
  }

  #placeOf(node: TreeNode): PlacedNode {
    const placed = this.#placed.nodes.get(node);
    if (placed === undefined) throw new Error('a node outside the tree');
    return placed;
  }

  #indexOf(chunk: StoredChunk): number {
    const index = this.#blobIndexes.get(chunk.blobKey);
    if (index === undefined) throw new Error(`a chunk of blob ${String(chunk.blobKey)}, which is not listed`);
    return index;
  }

  #infoOf({ node: { body }, firstBlock }: PlacedNode): number {
    switch (body.kind) {
      case 'file':
        return 0x20 | (Math.log2(this.#content.chunkSizeBytes) - blockSizeBits);
      case 'directory':
      case 'symlink':
        return firstBlock;
      case 'character':
      case 'block':
        return encodeDevice(body.major, body.minor);
      case 'fifo':
        return 0;
    }
  }

  #writeInode(placed: PlacedNode): void {
    const { node, offset, xattrs } = placed;
    const { attributes, body } = node;
    const out = this.#out;
    out.writeUInt16LE(1 | (layoutBits[placed.layout] << 1), offset);
    out.writeUInt16LE(xattrs.length === 0 ? 0 : (xattrs.length - 12) / 4 + 1, offset + 2);
    out.writeUInt16LE(fileType[body.kind] | (attributes.mode & 0o7777), offset + 4);
    out.writeBigUInt64LE(BigInt(placed.sizeBytes), offset + 8);
    out.writeUInt32LE(this.#infoOf(placed), offset + 16);
    out.writeUInt32LE(placed.inodeNumber, offset + 20);
    out.writeUInt32LE(attributes.uid, offset + 24);
    out.writeUInt32LE(attributes.gid, offset + 28);
    out.writeBigInt64LE(BigInt(Math.floor(attributes.mtimeS)), offset + 32);
    out.writeUInt32LE(attributes.mtimeNs, offset + 40);
    out.writeUInt32LE(placed.linkCount, offset + 44);
    out.set(xattrs, offset + inodeBytes);
    const tail = offset + inodeBytes + xattrs.length;
    if (body.kind === 'file') this.#writeChunkIndex(alignUp(tail, chunkIndexBytes), body.chunks);
    if (body.kind === 'symlink')
      out.write(body.target, placed.layout === 'inline' ? tail : placed.firstBlock * blockSizeBytes);
    for (const [index, block] of placed.blocks.entries()) {
      const isTail = placed.layout === 'inline' && index === placed.blocks.length - 1;
      this.#writeNames(isTail ? tail : (placed.firstBlock + index) * blockSizeBytes, block);
    }
  }

  #writeChunkIndex(offset: number, chunks: readonly StoredChunk[]): void {
    for (const [index, chunk] of chunks.entries()) {
      const at = offset + index * chunkIndexBytes;
      this.#out.writeUInt16LE(chunk.chunkId & 0xffff, at);
      this.#out.writeUInt16LE(((chunk.chunkId >> 16) << 8) | (this.#indexOf(chunk) + 1), at + 2);
      this.#out.writeUInt32LE(chunk.uncompressedOffset / blockSizeBytes, at + 4);
    }
  }

  #writeNames(offset: number, block: PlacedNode['blocks'][number]): void {
    let nameOffset = block.length * direntBytes;
    for (const [index, { name, node }] of block.entries()) {
      const at = offset + index * direntBytes;
      const { nid } = this.#placeOf(node);
      this.#out.writeUInt32LE(nid % 2 ** 32, at);
      this.#out.writeUInt32LE(Math.floor(nid / 2 ** 32), at + 4);
      this.#out.writeUInt16LE(nameOffset, at + 8);
      this.#out.writeUInt8(entryTypes[node.body.kind], at + 10);
      this.#out.set(name, offset + nameOffset);
      nameOffset += name.length;
    }
  }

  #writeChunkRow(at: number, { chunk, fileOffset }: UsedChunk): void {
    const out = this.#out;
    out.set(chunk.digest, at);
    out.writeUInt32LE(this.#indexOf(chunk), at + 32);
    out.writeUInt32LE(
      chunk.compressedSizeBytes < chunk.uncompressedSizeBytes ? chunkFlags.compressed : 0,
      at + 36,
    );
    out.writeUInt32LE(chunk.compressedSizeBytes, at + 40);
    out.writeUInt32LE(chunk.uncompressedSizeBytes, at + 44);
    out.writeBigUInt64LE(BigInt(chunk.compressedOffset), at + 48);
    out.writeBigUInt64LE(BigInt(chunk.uncompressedOffset), at + 56);
    out.writeBigUInt64LE(BigInt(fileOffset), at + 64);
    out.writeUInt32LE(chunk.chunkId, at + 72);
  }

  #writeBlobEntry(blob: BlobEntry): void {
    const at = this.#plan.blobTableOffset + blob.index * blobEntryBytes;
    const out = this.#out;
    out.write(blob.id, at, 64, 'latin1');
    out.writeUInt32LE(blob.index, at + 64);
    out.writeUInt32LE(blob.chunkSizeBytes, at + 68);
    out.writeUInt32LE(blob.chunkCount, at + 72);
    out.writeUInt32LE(compressors.indexOf(blob.compressor), at + 76);
    out.writeUInt32LE(digesters.indexOf(blob.digester), at + 80);
    out.writeUInt32LE(blob.features, at + 84);
    out.writeBigUInt64LE(BigInt(blob.compressedSizeBytes), at + 88);
    out.writeBigUInt64LE(BigInt(blob.uncompressedSizeBytes), at + 96);
    out.writeUInt32LE(blob.tocSizeBytes, at + 104);
    out.writeUInt32LE(compressors.indexOf(blob.metaCompressor), at + 108);
    out.writeBigUInt64LE(BigInt(blob.metaOffset), at + 112);
    out.writeBigUInt64LE(BigInt(blob.metaCompressedSizeBytes), at + 120);
    out.writeBigUInt64LE(BigInt(blob.metaUncompressedSizeBytes), at + 128);
    out.set(blob.tocDigest, at + 136);
  }

  #writeDevices(): void {
    let position = this.#plan.sizeBytes;
    for (const blob of this.#blobs) {
      position = alignUp(position, deviceAlignmentBytes);
      const at = deviceTable.offset + blob.index * deviceTable.slotBytes;
      this.#out.write(blob.id, at, 64, 'latin1');
      this.#out.writeUInt32LE(blob.uncompressedSizeBytes / blockSizeBytes, at + 64);
      this.#out.writeUInt32LE((position / blockSizeBytes) % 2 ** 32, at + 68);
      position += blob.uncompressedSizeBytes;
    }
  }

  /** Without blobs there is nothing to fetch, and no place for the table. */
  get #prefetch(): readonly TreeNode[] {
    return this.#blobs.length === 0 ? [] : this.#content.prefetch;
  }

  #writePrefetchTable(): void {
    for (const [index, node] of this.#prefetch.entries())
      this.#out.writeUInt32LE(this.#placeOf(node).nid, this.#plan.prefetchTableOffset + index * 4);
  }

  #writeSuperblock(): void {
    const at = superblock.offset;
    const out = this.#out;
    const deviceBytes = this.#blobs.reduce((sum, blob) => sum + blob.uncompressedSizeBytes, 0);
    out.writeUInt32LE(superblock.magic, at);
    out.writeUInt32LE(rafsV6Mark, at + 8);
    out.writeUInt8(blockSizeBits, at + 12);
    out.writeUInt16LE(this.#placeOf(this.#content.tree.root).nid, at + 14);
    out.writeBigUInt64LE(BigInt(this.#placed.nodes.size), at + 16);
    out.writeUInt32LE((deviceBytes / blockSizeBytes) % 2 ** 32, at + 36);
    out.writeUInt32LE(this.#plan.metadataOffset / blockSizeBytes, at + 40);
    out.writeUInt32LE(incompatFeatures, at + 80);
    out.writeUInt16LE(this.#blobs.length, at + 86);
    out.writeUInt16LE(deviceTable.firstSlot, at + 88);
  }

  #writeExtendedSuperblock(): void {
    const at = extendedSuperblock.offset;
    const out = this.#out;
    const hasXattrs = [...this.#placed.nodes.values()].some(({ xattrs }) => xattrs.length > 0);
    const flags =
      (this.#content.compressor === 'zstd' ? 0x80 : 0x1) |
      0x8 |
      superFlags.explicitOwners |
      superFlags.inlinedChunkDigests |
      superFlags.cipherNone |
      (hasXattrs ? superFlags.hasXattrs : 0);
    const hasBlobs = this.#blobs.length > 0;
    const { prefetchTableOffset, blobTableOffset, chunkTableOffset } = this.#plan;
    out.writeBigUInt64LE(BigInt(flags), at);
    out.writeBigUInt64LE(BigInt(hasBlobs ? blobTableOffset : 0), at + 8);
    out.writeUInt32LE(blobEntryBytes * this.#blobs.length, at + 16);
    out.writeUInt32LE(this.#content.chunkSizeBytes, at + 20);
    out.writeBigUInt64LE(BigInt(hasBlobs ? chunkTableOffset : 0), at + 24);
    out.writeBigUInt64LE(BigInt(chunkRowBytes * this.#chunks.length), at + 32);
    out.writeBigUInt64LE(BigInt(this.#prefetch.length > 0 ? prefetchTableOffset : 0), at + 40);
    out.writeUInt32LE(4 * this.#prefetch.length, at + 48);
  }
}
