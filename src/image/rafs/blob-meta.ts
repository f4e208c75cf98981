import { HarnessError } from '../../errors/harness-error.ts';
import { blobFeatures, compressors, type Compressor } from './layout.ts';

const magic = 0xb10bb10b;
const v1Bytes = 16;
const v2Bytes = 24;
export const metaHeaderBytes = 4096;

/** One chunk as the blob itself describes it ("compression information", blob.meta); index = chunk id. */
export interface BlobMetaChunk {
  readonly compressedOffset: number;
  readonly compressedSizeBytes: number;
  readonly uncompressedOffset: number;
  readonly uncompressedSizeBytes: number;
  readonly isCompressed: boolean;
}

/** Last page of blob.meta. */
export interface BlobMetaHeader {
  readonly features: number;
  readonly compressor: Compressor;
  readonly chunkCount: number;
  readonly offset: number;
  readonly compressedSizeBytes: number;
  readonly uncompressedSizeBytes: number;
}

const corrupt = (what: string): HarnessError => new HarnessError('IMAGE_CORRUPT', `Nydus blob.meta: ${what}`);
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Writes version 1 entries (16 bytes a chunk). Sizes up to 16 MiB, compressed offsets below 2^40. */
export function encodeBlobMeta(chunks: readonly Omit<BlobMetaChunk, 'isCompressed'>[]): Buffer {
  const bytes = Buffer.alloc(chunks.length * v1Bytes);
  for (const [index, chunk] of chunks.entries()) {
    const at = index * v1Bytes;
    const plain = chunk.uncompressedSizeBytes - 1;
    const stored = chunk.compressedSizeBytes - 1;
    // Offsets are split at bit 32, so that no arithmetic needs a BigInt.
    bytes.writeUInt32LE(((chunk.uncompressedOffset & 0xfffff000) >>> 0) + ((plain >>> 20) << 8), at);
    const plainHigh = Math.floor(chunk.uncompressedOffset / 2 ** 32) & 0xfff;
    bytes.writeUInt32LE(((((plain & 0xfffff) << 12) >>> 0) + plainHigh) >>> 0, at + 4);
    bytes.writeUInt32LE(chunk.compressedOffset % 2 ** 32, at + 8);
    const storedHigh = Math.floor(chunk.compressedOffset / 2 ** 32) & 0xff;
    bytes.writeUInt32LE(
      ((((stored & 0xfffff) << 12) >>> 0) + ((stored >>> 20) << 8) + storedHigh) >>> 0,
      at + 12,
    );
  }
  return bytes;
}

/**
 * Reads the (decompressed) entries that `header` announces, version 1, or version 2 where every chunk stands for
 * itself. Throws IMAGE_CORRUPT, and IMAGE_UNSUPPORTED for batches, zran and encryption.
 */
export function decodeBlobMeta(bytes: Uint8Array, header: BlobMetaHeader): BlobMetaChunk[] {
  const buffer = bufferOf(bytes);
  const isV2 = (header.features & blobFeatures.chunkInfoV2) !== 0;
  if ((header.features & (blobFeatures.batch | blobFeatures.zran | blobFeatures.encrypted)) !== 0)
    throw new HarnessError(
      'IMAGE_UNSUPPORTED',
      'Nydus blob.meta with batches, zran or encryption is not read',
    );
  const size = isV2 ? v2Bytes : v1Bytes;
  if (buffer.length !== header.chunkCount * size)
    throw corrupt(`${String(buffer.length)} bytes for ${String(header.chunkCount)} chunks`);
  return Array.from({ length: header.chunkCount }, (_, index) =>
    isV2 ? decodeV2(buffer, index * v2Bytes) : decodeV1(buffer, index * v1Bytes),
  );
}

function decodeV1(buffer: Buffer, at: number): BlobMetaChunk {
  const [plainLow, plainHigh] = [buffer.readUInt32LE(at), buffer.readUInt32LE(at + 4)];
  const [storedLow, storedHigh] = [buffer.readUInt32LE(at + 8), buffer.readUInt32LE(at + 12)];
  const uncompressedSizeBytes = (((plainLow >>> 8) & 0xf) << 20) + (plainHigh >>> 12) + 1;
  const compressedSizeBytes = (((storedHigh >>> 8) & 0xf) << 20) + (storedHigh >>> 12) + 1;
  return {
    uncompressedOffset: ((plainLow & 0xfffff000) >>> 0) + (plainHigh & 0xfff) * 2 ** 32,
    uncompressedSizeBytes,
    compressedOffset: storedLow + (storedHigh & 0xff) * 2 ** 32,
    compressedSizeBytes,
    isCompressed: compressedSizeBytes !== uncompressedSizeBytes,
  };
}

function decodeV2(buffer: Buffer, at: number): BlobMetaChunk {
  const high = buffer.readUInt32LE(at + 4);
  return {
    uncompressedOffset: buffer.readUInt32LE(at) * 4096,
    uncompressedSizeBytes: (high & 0xffffff) + 1,
    compressedOffset: buffer.readUInt32LE(at + 8) + buffer.readUInt8(at + 12) * 2 ** 32,
    compressedSizeBytes: buffer.readUIntLE(at + 13, 3),
    isCompressed: ((high >>> 24) & 1) !== 0,
  };
}

/** The 4096-byte page behind the entries. */
export function encodeBlobMetaHeader(header: BlobMetaHeader): Buffer {
  const page = Buffer.alloc(metaHeaderBytes);
  page.writeUInt32LE(magic, 0);
  page.writeUInt32LE(header.features, 4);
  page.writeUInt32LE(compressors.indexOf(header.compressor), 8);
  page.writeUInt32LE(header.chunkCount, 12);
  page.writeBigUInt64LE(BigInt(header.offset), 16);
  page.writeBigUInt64LE(BigInt(header.compressedSizeBytes), 24);
  page.writeBigUInt64LE(BigInt(header.uncompressedSizeBytes), 32);
  page.writeUInt32LE(magic, metaHeaderBytes - 4);
  return page;
}

/** Reads that page. Throws IMAGE_CORRUPT. */
export function decodeBlobMetaHeader(bytes: Uint8Array): BlobMetaHeader {
  const page = bufferOf(bytes);
  if (page.length !== metaHeaderBytes || page.readUInt32LE(0) !== magic || page.readUInt32LE(4092) !== magic)
    throw corrupt('no header');
  const compressor = compressors[page.readUInt32LE(8)];
  const sizes = [16, 24, 32].map((at) => Number(page.readBigUInt64LE(at)));
  const [offset = 0, compressedSizeBytes = 0, uncompressedSizeBytes = 0] = sizes;
  if (compressor === undefined || sizes.some((size) => size > 2 ** 44))
    throw corrupt('the header is nonsense');
  return {
    features: page.readUInt32LE(4),
    compressor,
    chunkCount: page.readUInt32LE(12),
    offset,
    compressedSizeBytes,
    uncompressedSizeBytes,
  };
}
