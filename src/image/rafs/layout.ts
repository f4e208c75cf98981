/**
 * Numbers of the RAFS v6 on-disk format (dragonflyoss/nydus, rafs/src/metadata/layout/v6.rs): an EROFS image of
 * metadata, a Nydus superblock behind the EROFS one, and data blobs as external EROFS devices. Little-endian.
 */
export const blockSizeBytes = 4096;
export const blockSizeBits = 12;

export const superblock = { offset: 1024, sizeBytes: 128, magic: 0xe0f5e1e2 } as const;
/** Nydus' own superblock, directly behind the EROFS one. */
export const extendedSuperblock = { offset: 1152, sizeBytes: 256 } as const;
export const deviceTable = { offset: 1408, slotBytes: 128, firstSlot: 11 } as const;
export const blobEntryBytes = 256;
export const chunkRowBytes = 80;
export const chunkIndexBytes = 8;
export const direntBytes = 12;
/** Inode numbers count in these units from the start of the metadata area. */
export const nidUnitBytes = 32;

/** `feature_compat` bit that tells RAFS v6 from plain EROFS (and from Nydus v3). */
export const rafsV6Mark = 0x40000000;
/** Chunked files and a device table; nothing else may be set. */
export const incompatFeatures = 0x0c;

/** Blob index is stored plus one in 8 bits, and 255 is not used. */
export const maxBlobs = 254;
export const maxChunksPerBlob = 2 ** 24;
export const minChunkSizeBytes = 4096;
export const maxChunkSizeBytes = 16 * 2 ** 20;
export const defaultChunkSizeBytes = 2 ** 20;
/** NAME_MAX, and PATH_MAX less its NUL: what Linux lets anyone create. */
export const maxNameBytes = 255;
export const maxLinkTargetBytes = 4095;

/** Flags of the extended superblock. */
export const superFlags = {
  compressors: { 0x1: 'none', 0x2: 'lz4_block', 0x40: 'gzip', 0x80: 'zstd' },
  digesters: { 0x4: 'blake3', 0x8: 'sha256' },
  explicitOwners: 0x10,
  hasXattrs: 0x20,
  inlinedChunkDigests: 0x100,
  tarfs: 0x200,
  cipherNone: 0x01000000,
  cipherAes128Xts: 0x02000000,
} as const;

/** Features of a blob (blob table, compression information header). */
export const blobFeatures = {
  aligned: 0x1,
  inlinedFsMeta: 0x2,
  chunkInfoV2: 0x4,
  zran: 0x8,
  separate: 0x10,
  inlinedChunkDigest: 0x20,
  tarfs: 0x40,
  batch: 0x80,
  encrypted: 0x100,
  hasTarHeader: 0x10000000,
  hasToc: 0x20000000,
  capTarToc: 0x40000000,
  /** Reserved bits: a reader that meets one must refuse. */
  unknown: 0xf000,
} as const;

/** Flags of a chunk row. */
export const chunkFlags = { compressed: 1, hole: 2, encrypted: 4, batch: 8, crc32: 0x10 } as const;

/** `S_IFMT` values of st_mode. */
export const fileType = {
  mask: 0o170000,
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
  socket: 0o140000,
} as const;

/** How a chunk is compressed, in the blob table's numbering. */
export const compressors = ['none', 'lz4_block', 'gzip', 'zstd'] as const;
export type Compressor = (typeof compressors)[number];
/** How a chunk is digested, in the blob table's numbering. */
export const digesters = ['blake3', 'sha256'] as const;
export type Digester = (typeof digesters)[number];

/** Next multiple of `unit` that is not below `value`; exact above 2^32, where bit operators are not. */
export const alignUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
