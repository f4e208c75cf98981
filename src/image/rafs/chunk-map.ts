import { HarnessError } from '../../errors/harness-error.ts';

/** Header of nydusd's `<cache>/<blob id>.blob.data.chunk_map` (nydus storage/src/cache/state/persist_map.rs). */
export const chunkMapHeaderBytes = 4096;
const magic1 = 0x424d4150;
const magic2 = 0x434d4150;
const magicAllReady = 0x4d4d4150;
const version = 1;

/** Size of the chunk map file of a blob with so many chunks. */
export const chunkMapFileBytes = (chunkCount: number): number =>
  chunkMapHeaderBytes + Math.ceil(chunkCount / 8);

const invalid = (what: string): HarnessError => new HarnessError('CHUNK_MAP_INVALID', `chunk map: ${what}`);

/**
 * Which chunks of a blob are local, as nydusd keeps it on disk: chunk i is bit `7 - i % 8` (most significant bit
 * first) of byte `i / 8` behind the header.
 */
export class ChunkMap {
  readonly chunkCount: number;
  /** The whole file, header included. Change it through {@link setReady} only. */
  readonly bytes: Buffer;
  #readyCount = 0;

  private constructor(chunkCount: number, bytes: Buffer) {
    this.chunkCount = chunkCount;
    this.bytes = bytes;
    for (let id = 0; id < chunkCount; id += 1) if (this.isReady(id)) this.#readyCount += 1;
  }

  /** A map of nothing. */
  static empty(chunkCount: number): ChunkMap {
    const bytes = Buffer.alloc(chunkMapFileBytes(chunkCount));
    bytes.writeUInt32LE(magic1, 0);
    bytes.writeUInt32LE(version, 4);
    bytes.writeUInt32LE(magic2, 8);
    return new ChunkMap(chunkCount, bytes);
  }

  /** Reads a whole file (a copy is taken) of a blob with `chunkCount` chunks. Throws CHUNK_MAP_INVALID. */
  static parse(file: Uint8Array, chunkCount: number): ChunkMap {
    const expectedBytes = chunkMapFileBytes(chunkCount);
    if (file.length !== expectedBytes)
      throw invalid(
        `${String(file.length)} bytes instead of ${String(expectedBytes)} for ${String(chunkCount)} chunks`,
      );
    const bytes = Buffer.from(file);
    if (bytes.readUInt32LE(0) !== magic1 || bytes.readUInt32LE(8) !== magic2) throw invalid('no magic');
    if (bytes.readUInt32LE(4) > version) throw invalid(`version ${String(bytes.readUInt32LE(4))}`);
    // A complete map says so in its header, and nydusd does not look at the bits any more.
    if (bytes.readUInt32LE(12) === magicAllReady) bytes.fill(0xff, chunkMapHeaderBytes);
    return new ChunkMap(chunkCount, bytes);
  }

  get readyCount(): number {
    return this.#readyCount;
  }

  get isComplete(): boolean {
    return this.#readyCount === this.chunkCount;
  }

  isReady(chunkId: number): boolean {
    if (chunkId < 0 || chunkId >= this.chunkCount) return false;
    return ((this.bytes[byteOf(chunkId)] ?? 0) & maskOf(chunkId)) !== 0;
  }

  /** Marks a chunk and returns the offset of the byte in the file that holds its bit. */
  setReady(chunkId: number): number {
    if (chunkId < 0 || chunkId >= this.chunkCount) throw new RangeError(`no chunk ${String(chunkId)}`);
    const at = byteOf(chunkId);
    if (!this.isReady(chunkId)) {
      this.bytes.writeUInt8((this.bytes[at] ?? 0) | maskOf(chunkId), at);
      this.#readyCount += 1;
      if (this.isComplete) this.bytes.writeUInt32LE(magicAllReady, 12);
    }
    return at;
  }
}

const byteOf = (chunkId: number): number => chunkMapHeaderBytes + (chunkId >> 3);
const maskOf = (chunkId: number): number => 0x80 >> (chunkId & 7);
