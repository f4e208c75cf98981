import { bootstrapInvalid } from './bootstrap-invalid.ts';
import type { ByteReader } from './byte-reader.ts';
import { chunkFlags, chunkRowBytes } from './layout.ts';
import type { SuperBlocks } from './super-blocks.ts';

/** A chunk as one file uses it. */
export interface ChunkRef {
  readonly blobIndex: number;
  /** Position of the chunk in its blob, and its bit in the chunk map. */
  readonly chunkId: number;
  /** Where the chunk lies in the blob. Both sizes are 0 for members of a batch: blob.meta knows theirs. */
  readonly compressedOffset: number;
  readonly compressedSizeBytes: number;
  /** Where the chunk lies in the blob's virtual device. */
  readonly uncompressedOffset: number;
  readonly uncompressedSizeBytes: number;
  readonly isCompressed: boolean;
  readonly isEncrypted: boolean;
  readonly isBatched: boolean;
  /** Where the chunk lies in the file it was asked for (of a blob: in the first file that used it). */
  readonly fileOffset: number;
  /** Digest of the uncompressed chunk, by the image's digester. */
  readonly digest: Uint8Array;
}

/** 2^24 chunk ids times 2^29 rows fit a double exactly: sorting keys needs no comparator and no objects. */
const rowSpan = 2 ** 29;

/** Rows of the chunk table, found by (blob, chunk id). */
export class ChunkTable {
  readonly #reader: ByteReader;
  readonly #blocks: SuperBlocks;
  /** Per blob: `chunkId * rowSpan + row`, ascending. */
  #keys: readonly Float64Array[] | undefined;

  constructor(reader: ByteReader, blocks: SuperBlocks) {
    this.#reader = reader;
    this.#blocks = blocks;
  }

  get rowCount(): number {
    return this.#blocks.chunkTable.sizeBytes / chunkRowBytes;
  }

  /** The chunk `chunkId` of a blob, used at `fileOffset`. Throws BOOTSTRAP_INVALID when the table has none. */
  find(blobIndex: number, chunkId: number, fileOffset: number): ChunkRef {
    const keys = this.#keysOf(blobIndex);
    // Ids are dense unless a merge dropped chunks: then their place is not theirs, and the search finds it.
    let low = Math.floor((keys[chunkId] ?? -1) / rowSpan) === chunkId ? chunkId : 0;
    let high = low === 0 ? keys.length : low;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] ?? 0) < chunkId * rowSpan) low = middle + 1;
      else high = middle;
    }
    const key = keys[low] ?? -1;
    if (Math.floor(key / rowSpan) !== chunkId)
      throw bootstrapInvalid(
        `no row for chunk ${String(chunkId)} of blob ${String(blobIndex)}`,
        'chunk table',
      );
    return this.#row(key % rowSpan, fileOffset);
  }

  /** All chunks of a blob that this image uses, by chunk id. */
  ofBlob(blobIndex: number): ChunkRef[] {
    return Array.from(this.#keysOf(blobIndex), (key) => this.#row(key % rowSpan));
  }

  #keysOf(blobIndex: number): Float64Array {
    this.#keys ??= this.#sortKeys();
    const keys = this.#keys[blobIndex];
    if (keys === undefined) throw bootstrapInvalid(`blob ${String(blobIndex)} does not exist`, 'chunk index');
    return keys;
  }

  #sortKeys(): Float64Array[] {
    const { offset } = this.#blocks.chunkTable;
    const { blobs } = this.#blocks;
    if (this.rowCount >= rowSpan) throw bootstrapInvalid('more than 2^29 rows', 'chunk table');
    const counts = new Array<number>(blobs.length).fill(0);
    for (let row = 0; row < this.rowCount; row += 1) {
      const blobIndex = this.#reader.u32(offset + row * chunkRowBytes + 32, 'chunk row');
      if (blobIndex >= blobs.length)
        throw bootstrapInvalid(`blob ${String(blobIndex)} does not exist`, `chunk row ${String(row)}`);
      counts[blobIndex] = (counts[blobIndex] ?? 0) + 1;
    }
    const keys = counts.map((count) => new Float64Array(count));
    const filled = new Array<number>(blobs.length).fill(0);
    for (let row = 0; row < this.rowCount; row += 1) {
      const at = offset + row * chunkRowBytes;
      const blobIndex = this.#reader.u32(at + 32, 'chunk row');
      const position = filled[blobIndex] ?? 0;
      const own = keys[blobIndex];
      if (own !== undefined) own[position] = this.#reader.u32(at + 72, 'chunk row') * rowSpan + row;
      filled[blobIndex] = position + 1;
    }
    for (const own of keys) own.sort();
    return keys;
  }

  #row(row: number, fileOffset?: number): ChunkRef {
    const at = this.#blocks.chunkTable.offset + row * chunkRowBytes;
    this.#reader.requireRange(at, chunkRowBytes, 'chunk row');
    const chunk = new ChunkRow(this.#reader, at, fileOffset);
    this.#check(chunk, row);
    return chunk;
  }

  #check(chunk: ChunkRow, row: number): void {
    const blob = this.#blocks.blobs[chunk.blobIndex];
    const fail = (what: string): never => {
      throw bootstrapInvalid(what, `chunk row ${String(row)}`);
    };
    if (blob === undefined || chunk.chunkId >= blob.chunkCount)
      return fail(`chunk ${String(chunk.chunkId)} is outside its blob`);
    if (chunk.isHole) fail('a hole, which RAFS v6 has not');
    if (chunk.uncompressedSizeBytes === 0 || chunk.uncompressedSizeBytes > this.#blocks.chunkSizeBytes)
      fail(`${String(chunk.uncompressedSizeBytes)} bytes in a chunk`);
    if (chunk.compressedOffset + chunk.compressedSizeBytes > blob.compressedSizeBytes)
      fail('the chunk ends behind its blob');
    if (chunk.uncompressedOffset + chunk.uncompressedSizeBytes > blob.uncompressedSizeBytes)
      fail('the chunk ends behind its device');
    if (!chunk.isBatched && chunk.compressedSizeBytes === 0) fail('a chunk without data');
    if (!chunk.isCompressed && !chunk.isBatched && chunk.compressedSizeBytes < chunk.uncompressedSizeBytes)
      fail('stored raw, yet shorter than its content');
  }
}

/** A row, read once; only the digest waits until someone wants it, for views are dear by the hundred thousand. */
class ChunkRow implements ChunkRef {
  readonly blobIndex: number;
  readonly chunkId: number;
  readonly compressedOffset: number;
  readonly compressedSizeBytes: number;
  readonly uncompressedOffset: number;
  readonly uncompressedSizeBytes: number;
  readonly isCompressed: boolean;
  readonly isEncrypted: boolean;
  readonly isBatched: boolean;
  readonly isHole: boolean;
  readonly fileOffset: number;
  readonly #reader: ByteReader;
  readonly #at: number;

  constructor(reader: ByteReader, at: number, fileOffset: number | undefined) {
    const flags = reader.u32(at + 36, 'chunk flags');
    this.blobIndex = reader.u32(at + 32, 'blob index');
    this.chunkId = reader.u32(at + 72, 'chunk id');
    this.compressedOffset = reader.u64(at + 48, 'compressed offset');
    this.compressedSizeBytes = reader.u32(at + 40, 'compressed size');
    this.uncompressedOffset = reader.u64(at + 56, 'uncompressed offset');
    this.uncompressedSizeBytes = reader.u32(at + 44, 'uncompressed size');
    this.isCompressed = (flags & chunkFlags.compressed) !== 0;
    this.isEncrypted = (flags & chunkFlags.encrypted) !== 0;
    this.isBatched = (flags & chunkFlags.batch) !== 0;
    this.isHole = (flags & chunkFlags.hole) !== 0;
    this.fileOffset = fileOffset ?? reader.u64(at + 64, 'file offset');
    this.#reader = reader;
    this.#at = at;
  }

  get digest(): Uint8Array {
    return this.#reader.slice(this.#at, 32, 'digest');
  }
}
