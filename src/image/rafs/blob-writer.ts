import { createHash, hash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync } from 'node:zlib';
import { HarnessError } from '../../errors/harness-error.ts';
import { encodeBlobMeta, encodeBlobMetaHeader } from './blob-meta.ts';
import type { BlobEntry } from './blob-entry.ts';
import { alignUp, blobFeatures, blockSizeBytes, maxChunksPerBlob } from './layout.ts';
import type { ChunkDictionary, StoredChunk } from './stored-chunk.ts';
import { encodeTarHeader, tarHeaderBytes } from './tar-header.ts';
import { encodeToc, type TocEntry } from './toc.ts';

/** Compressors a conversion may choose. */
export type WriterCompressor = 'none' | 'zstd';

/** A finished data blob in the work directory. */
export interface WrittenBlob {
  readonly key: number;
  /** File with the blob; its name is the blob id. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Everything the blob table says, but the index, which depends on the other blobs. */
  readonly entry: Omit<BlobEntry, 'index'>;
}

const compressAsync = promisify(zstdCompress);
/** As nydus-image; a frame with its content size, so that every decoder can check it before it allocates. */
const zstdOptions = (
  bytes: Uint8Array,
): { params: Record<number, number>; pledgedSrcSize: number; chunkSize: number } => ({
  params: { [constants.ZSTD_c_compressionLevel]: 3 },
  pledgedSrcSize: bytes.length,
  // One output buffer that always suffices: otherwise each 16 KiB cost a turn of the event loop.
  chunkSize: Math.max(1024, bytes.length + (bytes.length >> 7) + 512),
});
/** Below this a hop to the thread pool costs more than the compression itself. */
const smallChunkBytes = 32 * 1024;
/** Raw bytes waiting for compression or for their turn: enough for two cores, little against any image. */
const inFlightLimitBytes = 8 * 2 ** 20;
const writeBufferBytes = 2 ** 20;
/** blob.meta has 40 bits for offsets. */
const maxBlobBytes = 2 ** 40;

const features =
  blobFeatures.aligned |
  blobFeatures.inlinedChunkDigest |
  blobFeatures.hasTarHeader |
  blobFeatures.hasToc |
  blobFeatures.capTarToc;

/** Settings of a {@link BlobWriter}. */
export interface BlobWriterOptions {
  readonly key: number;
  readonly workDirectory: string;
  readonly chunkSizeBytes: number;
  readonly compressor: WriterCompressor;
  /** Shared by the writers of all layers: what is in there is referenced instead of stored. */
  readonly dictionary: ChunkDictionary;
}

interface Waiting {
  readonly chunk: StoredChunk;
  readonly raw: Uint8Array;
  readonly compressed: Uint8Array | Promise<Uint8Array>;
}

/**
 * Writes one data blob, chunks in the order they come:
 *
 *     chunks | hdr image.blob | CI, CI header | hdr blob.meta | digests | hdr blob.digest | TOC | hdr rafs.blob.toc
 *
 * Each part stands *before* its tar header. The blob id is the sha256 of the whole file, as in a registry.
 * Disposing of a writer that has not finished removes its file.
 */
export class BlobWriter implements AsyncDisposable {
  readonly #options: BlobWriterOptions;
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #chunks: StoredChunk[] = [];
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #unwritten: Uint8Array[] = [];
  #unwrittenBytes = 0;
  #sizeBytes = 0;
  #deviceBytes = 0;
  #isFinished = false;

  private constructor(options: BlobWriterOptions, file: string, handle: FileHandle) {
    this.#options = options;
    this.#file = file;
    this.#handle = handle;
  }

  static async create(options: BlobWriterOptions): Promise<BlobWriter> {
    const file = path.join(options.workDirectory, `blob-${String(options.key)}.partial`);
    return new BlobWriter(options, file, await open(file, 'w'));
  }

  /** Stores a chunk, or finds it stored already. `raw` belongs to the writer from now on. */
  async add(raw: Uint8Array): Promise<StoredChunk> {
    const digest = hash('sha256', raw, 'buffer');
    const known = this.#options.dictionary.find(digest);
    if (known !== undefined) return known;
    if (this.#chunks.length === maxChunksPerBlob)
      throw new HarnessError('IMAGE_UNSUPPORTED', 'a layer has more than 2^24 chunks', {
        hint: 'Choose a larger chunk size.',
      });
    const chunk: StoredChunk = {
      blobKey: this.#options.key,
      chunkId: this.#chunks.length,
      digest,
      uncompressedOffset: this.#deviceBytes,
      uncompressedSizeBytes: raw.length,
      compressedOffset: 0,
      compressedSizeBytes: 0,
    };
    this.#deviceBytes += alignUp(raw.length, blockSizeBytes);
    this.#chunks.push(chunk);
    this.#options.dictionary.add(digest, chunk);
    this.#waiting.push({ chunk, raw, compressed: this.#compress(raw) });
    this.#waitingBytes += raw.length;
    while (this.#waitingBytes > inFlightLimitBytes) await this.#writeOldest();
    return chunk;
  }

  /** Completes the blob; undefined (and no file) when no chunk was stored, for a blob must have one. */
  async finish(): Promise<WrittenBlob | undefined> {
    while (this.#waiting.length > 0) await this.#writeOldest();
    if (this.#chunks.length === 0) return undefined;
    await this.#flush();
    const entry = await this.#writeTail();
    await this.#flush();
    await this.#handle.close();
    const id = this.#hash.digest('hex');
    const file = path.join(this.#options.workDirectory, id);
    await rename(this.#file, file);
    this.#isFinished = true;
    return { key: this.#options.key, file, sizeBytes: this.#sizeBytes, entry: { ...entry, id } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isFinished) return;
    await Promise.allSettled(this.#waiting.map(async ({ compressed }) => compressed));
    await this.#handle.close();
    await rm(this.#file, { force: true });
  }

  #compress(raw: Uint8Array): Uint8Array | Promise<Uint8Array> {
    if (this.#options.compressor === 'none') return raw;
    if (raw.length <= smallChunkBytes) return zstdCompressSync(raw, zstdOptions(raw));
    const compressed = compressAsync(raw, zstdOptions(raw));
    // Reported by #writeOldest when its turn comes, which may be never if the conversion fails before.
    compressed.catch(() => undefined);
    return compressed;
  }

  async #writeOldest(): Promise<void> {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#waitingBytes -= next.raw.length;
    const compressed = next.compressed instanceof Promise ? await next.compressed : next.compressed;
    const stored = compressed.length < next.raw.length ? compressed : next.raw;
    next.chunk.compressedOffset = this.#sizeBytes;
    next.chunk.compressedSizeBytes = stored.length;
    await this.#append(stored);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#unwritten.push(bytes);
    this.#unwrittenBytes += bytes.length;
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes >= maxBlobBytes)
      throw new HarnessError('IMAGE_UNSUPPORTED', 'a layer has more than 1 TiB of compressed data');
    if (this.#unwrittenBytes >= writeBufferBytes) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#unwritten);
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    this.#hash.update(bytes);
    let written = 0;
    while (written < bytes.length) written += (await this.#handle.write(bytes, written)).bytesWritten;
  }

  /** Everything behind the chunks. */
  async #writeTail(): Promise<Omit<BlobEntry, 'index' | 'id'>> {
    const { compressor, chunkSizeBytes } = this.#options;
    const chunkDataBytes = this.#sizeBytes;
    const meta = encodeBlobMeta(this.#chunks);
    const packed = compressor === 'none' ? meta : zstdCompressSync(meta, zstdOptions(meta));
    const isPacked = packed.length < meta.length;
    const storedMeta = isPacked ? packed : meta;
    const metaCompressor = isPacked ? compressor : 'none';
    const metaOffset = chunkDataBytes + tarHeaderBytes;
    const header = encodeBlobMetaHeader({
      features,
      compressor: metaCompressor,
      chunkCount: this.#chunks.length,
      offset: metaOffset,
      compressedSizeBytes: storedMeta.length,
      uncompressedSizeBytes: meta.length,
    });
    const digests = Buffer.concat(this.#chunks.map(({ digest }) => digest));
    const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');
    const entry = (
      name: string,
      plain: Uint8Array,
      stored = plain,
      how: WriterCompressor = 'none',
    ): TocEntry => ({
      name,
      compressor: how,
      digest: sha256(plain),
      offset: this.#sizeBytes,
      sizeBytes: stored.length,
      uncompressedSizeBytes: plain.length,
    });
    const toc: TocEntry[] = [
      {
        name: 'image.blob',
        compressor: 'none',
        digest: this.#hash.copy().digest(),
        offset: 0,
        sizeBytes: chunkDataBytes,
        uncompressedSizeBytes: chunkDataBytes,
      },
    ];
    await this.#append(encodeTarHeader({ name: 'image.blob', sizeBytes: chunkDataBytes }));
    toc.push(entry('blob.meta', meta, storedMeta, metaCompressor));
    await this.#append(storedMeta);
    toc.push(entry('blob.meta.header', header));
    await this.#append(header);
    await this.#append(encodeTarHeader({ name: 'blob.meta', sizeBytes: storedMeta.length + header.length }));
    toc.push(entry('blob.digest', digests));
    await this.#append(digests);
    await this.#append(encodeTarHeader({ name: 'blob.digest', sizeBytes: digests.length }));
    const tocOffset = this.#sizeBytes;
    const encodedToc = encodeToc(toc);
    await this.#append(encodedToc.bytes);
    return {
      chunkSizeBytes,
      chunkCount: this.#chunks.length,
      compressor,
      digester: 'sha256',
      features,
      compressedSizeBytes: tocOffset,
      uncompressedSizeBytes: this.#deviceBytes,
      tocSizeBytes: encodedToc.bytes.length,
      tocDigest: encodedToc.digest,
      metaCompressor,
      metaOffset,
      metaCompressedSizeBytes: storedMeta.length,
      metaUncompressedSizeBytes: meta.length,
    };
  }
}
