import { bootstrapInvalid } from './bootstrap-invalid.ts';
import type { ByteReader } from './byte-reader.ts';
import {
  blobFeatures,
  compressors,
  digesters,
  maxChunksPerBlob,
  type Compressor,
  type Digester,
} from './layout.ts';

/** One data blob as the bootstrap's blob table describes it. */
export interface BlobEntry {
  readonly index: number;
  /** Name of the blob: hex sha256 of the OCI layer in an image from a registry. */
  readonly id: string;
  readonly chunkSizeBytes: number;
  /** Chunks in the blob, also those that no file of this image uses. */
  readonly chunkCount: number;
  readonly compressor: Compressor;
  readonly digester: Digester;
  /** Bits of {@link blobFeatures}. */
  readonly features: number;
  /** Bytes of the blob that hold chunks and metadata, without the TOC. */
  readonly compressedSizeBytes: number;
  /** Size of the virtual device that all chunks make up, a multiple of 4 KiB. */
  readonly uncompressedSizeBytes: number;
  /** TOC with its tar header at the end of the blob; 0 = none. */
  readonly tocSizeBytes: number;
  readonly tocDigest: Uint8Array;
  /** Where the compression information ("blob.meta") lies in the blob. */
  readonly metaCompressor: Compressor;
  readonly metaOffset: number;
  readonly metaCompressedSizeBytes: number;
  readonly metaUncompressedSizeBytes: number;
}

const maxCompressedBytes = 2 ** 40;
const maxUncompressedBytes = 2 ** 44;
/** An id becomes part of file names and URLs: hex in practice, and never anything that a path could mean. */
const safeId = /^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$/;

/** Reads the id at the start of a blob table entry or a device slot: 64 bytes, NUL padded. */
export function readBlobId(reader: ByteReader, offset: number, where: string): string {
  const end = reader.endOfText(offset, offset + 64);
  const id = reader.text(offset, end - offset, 'blob id');
  if (!safeId.test(id)) throw bootstrapInvalid('the blob id is not a plain name', where);
  return id;
}

const pick = <T>(names: readonly T[], index: number, what: string, where: string): T => {
  const name = names[index];
  if (name === undefined) throw bootstrapInvalid(`unknown ${what} ${String(index)}`, where);
  return name;
};

/** Reads entry `index` of the blob table at `offset`. Throws BOOTSTRAP_INVALID. */
export function readBlobEntry(reader: ByteReader, offset: number, index: number): BlobEntry {
  const where = `blob table entry ${String(index)}`;
  const u32 = (at: number): number => reader.u32(offset + at, where);
  const u64 = (at: number): number => reader.u64(offset + at, where);
  const entry: BlobEntry = {
    index,
    id: readBlobId(reader, offset, where),
    chunkSizeBytes: u32(68),
    chunkCount: u32(72),
    compressor: pick(compressors, u32(76), 'compressor', where),
    digester: pick(digesters, u32(80), 'digester', where),
    features: u32(84),
    compressedSizeBytes: u64(88),
    uncompressedSizeBytes: u64(96),
    tocSizeBytes: u32(104),
    metaCompressor: pick(compressors, u32(108), 'blob.meta compressor', where),
    metaOffset: u64(112),
    metaCompressedSizeBytes: u64(120),
    metaUncompressedSizeBytes: u64(128),
    tocDigest: reader.slice(offset + 136, 32, where),
  };
  if (u32(64) !== index) throw bootstrapInvalid(`the entry says it is blob ${String(u32(64))}`, where);
  if ((entry.features & blobFeatures.unknown) !== 0)
    throw bootstrapInvalid(`unknown features 0x${entry.features.toString(16)}`, where);
  if (entry.chunkCount > maxChunksPerBlob)
    throw bootstrapInvalid(`${String(entry.chunkCount)} chunks are more than 2^24`, where);
  if (entry.compressedSizeBytes > maxCompressedBytes || entry.uncompressedSizeBytes > maxUncompressedBytes)
    throw bootstrapInvalid('the size is absurd', where);
  return entry;
}
