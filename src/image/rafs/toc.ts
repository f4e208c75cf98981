import { createHash } from 'node:crypto';
import { HarnessError } from '../../errors/harness-error.ts';
import type { Compressor } from './layout.ts';
import { decodeTarHeader, encodeTarHeader, tarHeaderBytes } from './tar-header.ts';

const entryBytes = 128;
const tocName = 'rafs.blob.toc';
const maxEntries = 64;
const storages = { none: 1, zstd: 2, lz4_block: 4 } as const;

/** One part of a data blob as its table of contents names it (`image.blob`, `blob.meta` …). */
export interface TocEntry {
  readonly name: string;
  readonly compressor: Exclude<Compressor, 'gzip'>;
  /** sha256 of the uncompressed part. */
  readonly digest: Uint8Array;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly uncompressedSizeBytes: number;
}

/** A table of contents with the tar header that follows it, and the digest the blob table stores of both. */
export interface EncodedToc {
  readonly bytes: Buffer;
  readonly digest: Buffer;
}

export function encodeToc(entries: readonly TocEntry[]): EncodedToc {
  const table = Buffer.alloc(entries.length * entryBytes);
  for (const [index, entry] of entries.entries()) {
    const at = index * entryBytes;
    table.writeUInt32LE(storages[entry.compressor], at);
    table.write(entry.name, at + 8, 16, 'latin1');
    table.set(entry.digest, at + 24);
    table.writeBigUInt64LE(BigInt(entry.offset), at + 56);
    table.writeBigUInt64LE(BigInt(entry.sizeBytes), at + 64);
    table.writeBigUInt64LE(BigInt(entry.uncompressedSizeBytes), at + 72);
  }
  const bytes = Buffer.concat([table, encodeTarHeader({ name: tocName, sizeBytes: table.length })]);
  return { bytes, digest: createHash('sha256').update(bytes).digest() };
}

/**
 * Reads the table of contents from the last bytes of a blob (`tail`, 8 KiB and more are enough for any).
 * Undefined when the blob ends without one; throws IMAGE_CORRUPT when it has one that makes no sense.
 */
export function decodeToc(tail: Uint8Array): TocEntry[] | undefined {
  const buffer = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  const headerAt = buffer.length - tarHeaderBytes;
  if (headerAt < 0 || buffer.toString('latin1', headerAt, headerAt + tocName.length) !== tocName)
    return undefined;
  const { sizeBytes } = decodeTarHeader(buffer.subarray(headerAt));
  const start = headerAt - sizeBytes;
  if (sizeBytes % entryBytes !== 0 || sizeBytes > maxEntries * entryBytes || start < 0)
    throw new HarnessError('IMAGE_CORRUPT', `Nydus blob: a table of contents of ${String(sizeBytes)} bytes`);
  return Array.from({ length: sizeBytes / entryBytes }, (_, index) =>
    decodeEntry(buffer.subarray(start + index * entryBytes, start + (index + 1) * entryBytes)),
  );
}

function decodeEntry(entry: Buffer): TocEntry {
  const flags = entry.readUInt32LE(0) & 7;
  const compressor = flags === 1 ? 'none' : flags === 2 ? 'zstd' : flags === 4 ? 'lz4_block' : undefined;
  const [offset = 0, sizeBytes = 0, uncompressedSizeBytes = 0] = [56, 64, 72].map((at) =>
    Number(entry.readBigUInt64LE(at)),
  );
  if (compressor === undefined || offset + sizeBytes > 2 ** 44 || uncompressedSizeBytes > 2 ** 44)
    throw new HarnessError('IMAGE_CORRUPT', 'Nydus blob: an entry of the table of contents is nonsense');
  return {
    name: entry.toString('latin1', 8, 24).replace(/\0.*$/s, ''),
    compressor,
    digest: entry.subarray(24, 56),
    offset,
    sizeBytes,
    uncompressedSizeBytes,
  };
}
