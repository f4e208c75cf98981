import { HarnessError } from '../../errors/harness-error.ts';
import { readBlobEntry, readBlobId, type BlobEntry } from './blob-entry.ts';
import { bootstrapInvalid } from './bootstrap-invalid.ts';
import type { ByteReader } from './byte-reader.ts';
import {
  blobEntryBytes,
  blockSizeBits,
  blockSizeBytes,
  chunkRowBytes,
  deviceTable,
  extendedSuperblock,
  incompatFeatures,
  maxBlobs,
  maxChunkSizeBytes,
  minChunkSizeBytes,
  rafsV6Mark,
  superblock,
  superFlags,
  type Compressor,
  type Digester,
} from './layout.ts';

/** Where a table lies in the bootstrap. */
export interface TableSpan {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Everything both superblocks say, checked. */
export interface SuperBlocks {
  readonly rootNid: number;
  readonly inodeCount: number;
  readonly buildTimeS: number;
  /** Start of the metadata area, which nids count from. */
  readonly metadataOffset: number;
  readonly chunkSizeBytes: number;
  readonly compressor: Compressor;
  readonly digester: Digester;
  readonly hasXattrs: boolean;
  readonly blobs: readonly BlobEntry[];
  readonly chunkTable: TableSpan;
  readonly prefetchTable: TableSpan;
}

const unsupported = (what: string): HarnessError =>
  new HarnessError('IMAGE_UNSUPPORTED', `${what} is not read; RAFS v6 is`, {
    hint: 'Convert the image with `lazybench image convert` or with `nydusify convert --fs-version 6`.',
  });

/** Exactly one bit of `choices` must be set in `flags`. */
function oneOf<T>(flags: number, choices: Readonly<Record<number, T>>, what: string): T {
  const found = Object.entries(choices).filter(([bit]) => (flags & Number(bit)) !== 0);
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw bootstrapInvalid(`${String(found.length)} ${what}s instead of one`, 'extended superblock, flags');
  return only[1];
}

function requireRafsV6(reader: ByteReader): void {
  if (reader.sizeBytes >= 8 && reader.u32(0, 'magic') === 0x52414653)
    throw unsupported(`RAFS v${String(reader.u32(4, 'version') >> 8)}`);
  if (reader.sizeBytes < deviceTable.offset)
    throw bootstrapInvalid(`${String(reader.sizeBytes)} bytes are too few`, 'superblock');
  if (reader.u32(superblock.offset, 'magic') !== superblock.magic)
    throw bootstrapInvalid('no EROFS magic: not a bootstrap, or a damaged one', 'superblock, offset 1024');
  if ((reader.u32(superblock.offset + 8, 'features') & rafsV6Mark) === 0) {
    const slot = reader.u16(superblock.offset + 88, 'device slot');
    throw unsupported(
      slot === 9 ? 'a Nydus v3 bootstrap (nydus-fs-version 7)' : 'EROFS without the mark of RAFS v6',
    );
  }
}

function tableSpan(
  reader: ByteReader,
  offset: number,
  sizeBytes: number,
  unit: number,
  name: string,
): TableSpan {
  if (sizeBytes % unit !== 0)
    throw bootstrapInvalid(`its ${String(sizeBytes)} bytes are not a multiple of ${String(unit)}`, name);
  if (sizeBytes === 0) return { offset: 0, sizeBytes: 0 };
  reader.requireRange(offset, sizeBytes, name);
  return { offset, sizeBytes };
}

function requireApart(spans: readonly (TableSpan & { readonly name: string })[]): void {
  const sorted = spans.filter(({ sizeBytes }) => sizeBytes > 0).sort((a, b) => a.offset - b.offset);
  for (const [index, span] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && span.offset + span.sizeBytes > next.offset)
      throw bootstrapInvalid(`${span.name} overlaps the ${next.name}`, `offset ${String(next.offset)}`);
  }
}

function readBlobs(reader: ByteReader, count: number, table: TableSpan, chunkSizeBytes: number): BlobEntry[] {
  if (count > maxBlobs + 1) throw bootstrapInvalid(`${String(count)} blobs are too many`, 'device table');
  if (table.sizeBytes !== count * blobEntryBytes)
    throw bootstrapInvalid(
      `${String(count)} devices but ${String(table.sizeBytes / blobEntryBytes)} blobs`,
      'blob table',
    );
  const ids = new Set<string>();
  return Array.from({ length: count }, (_, index) => {
    const blob = readBlobEntry(reader, table.offset + index * blobEntryBytes, index);
    const where = `device ${String(index)}`;
    const device = readBlobId(reader, deviceTable.offset + index * deviceTable.slotBytes, where);
    if (device !== blob.id) throw bootstrapInvalid('device and blob table name different blobs', where);
    if (ids.has(blob.id)) throw bootstrapInvalid(`blob ${blob.id} is listed twice`, where);
    if (blob.chunkSizeBytes !== chunkSizeBytes)
      throw bootstrapInvalid(
        'the chunk size differs from the superblock',
        `blob table entry ${String(index)}`,
      );
    ids.add(blob.id);
    return blob;
  });
}

/**
 * Reads and checks EROFS superblock, Nydus superblock, device table and blob table.
 * Throws BOOTSTRAP_INVALID, and IMAGE_UNSUPPORTED for formats known by name (RAFS v5, Nydus v3, TARFS).
 */
export function readSuperBlocks(reader: ByteReader): SuperBlocks {
  requireRafsV6(reader);
  const base = superblock.offset;
  const ext = extendedSuperblock.offset;
  const flags = reader.u32(ext, 'flags');
  if ((flags & superFlags.tarfs) !== 0) throw unsupported('a TARFS bootstrap');
  const expected = [
    ['checksum', reader.u32(base + 4, 'checksum'), 0],
    ['block size bits', reader.u8(base + 12, 'block size'), blockSizeBits],
    ['extension slots', reader.u8(base + 13, 'slots'), 0],
    ['incompatible features', reader.u32(base + 80, 'features'), incompatFeatures],
    ['first device slot', reader.u16(base + 88, 'device slot'), deviceTable.firstSlot],
  ] as const;
  for (const [name, found, wanted] of expected)
    if (found !== wanted)
      throw bootstrapInvalid(`${name} is ${String(found)}, must be ${String(wanted)}`, 'superblock');
  const inodeCount = reader.u64(base + 16, 'inode count');
  if (inodeCount === 0) throw bootstrapInvalid('no inodes', 'superblock');
  const chunkSizeBytes = reader.u32(ext + 20, 'chunk size');
  if (
    chunkSizeBytes < minChunkSizeBytes ||
    chunkSizeBytes > maxChunkSizeBytes ||
    (chunkSizeBytes & (chunkSizeBytes - 1)) !== 0
  )
    throw bootstrapInvalid(`chunk size ${String(chunkSizeBytes)}`, 'extended superblock');
  const blobTable = tableSpan(
    reader,
    reader.u64(ext + 8, 'blob table offset'),
    reader.u32(ext + 16, 'blob table size'),
    blobEntryBytes,
    'blob table',
  );
  const chunkTable = tableSpan(
    reader,
    reader.u64(ext + 24, 'chunk table offset'),
    reader.u64(ext + 32, 'chunk table size'),
    chunkRowBytes,
    'chunk table',
  );
  const prefetchTable = tableSpan(
    reader,
    reader.u64(ext + 40, 'prefetch table offset'),
    reader.u32(ext + 48, 'prefetch table size'),
    4,
    'prefetch table',
  );
  const deviceCount = reader.u16(base + 86, 'device count');
  requireApart([
    {
      name: 'superblocks and device table',
      offset: 0,
      sizeBytes: deviceTable.offset + deviceCount * deviceTable.slotBytes,
    },
    { name: 'blob table', ...blobTable },
    { name: 'chunk table', ...chunkTable },
    { name: 'prefetch table', ...prefetchTable },
  ]);
  return {
    rootNid: reader.u16(base + 14, 'root nid'),
    inodeCount,
    buildTimeS: reader.i64(base + 24, 'build time'),
    metadataOffset: reader.u32(base + 40, 'metadata address') * blockSizeBytes,
    chunkSizeBytes,
    compressor: oneOf<Compressor>(flags, superFlags.compressors, 'compressor'),
    digester: oneOf<Digester>(flags, superFlags.digesters, 'digester'),
    hasXattrs: (flags & superFlags.hasXattrs) !== 0,
    blobs: readBlobs(reader, deviceCount, blobTable, chunkSizeBytes),
    chunkTable,
    prefetchTable,
  };
}
