import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { HarnessError } from '../../errors/harness-error.ts';
import type { ChunkRef } from './chunk-table.ts';
import type { Compressor } from './layout.ts';
import { decodeLz4Block } from './lz4-block.ts';

const zstd = promisify(zstdDecompress);
const gzip = promisify(gunzip);

/** The parts of a chunk that decoding needs. */
export type EncodedChunk = Pick<
  ChunkRef,
  'chunkId' | 'isCompressed' | 'isEncrypted' | 'isBatched' | 'compressedSizeBytes' | 'uncompressedSizeBytes'
>;

/**
 * Content of a chunk from the bytes that lie at its place in the blob. `compressor` is the blob's. zstd and gzip
 * decode on the thread pool, so several chunks may decode at once. The digest is not checked here.
 *
 * Throws IMAGE_CORRUPT when the result has another size than the bootstrap says (at once when it is larger: no
 * decompression bomb), IMAGE_UNSUPPORTED for encrypted chunks and batches.
 */
export async function decodeChunk(
  compressor: Compressor,
  chunk: EncodedChunk,
  compressed: Uint8Array,
): Promise<Uint8Array> {
  const name = `chunk ${String(chunk.chunkId)}`;
  if (chunk.isEncrypted || chunk.isBatched)
    throw new HarnessError(
      'IMAGE_UNSUPPORTED',
      `${name} is ${chunk.isEncrypted ? 'encrypted' : 'part of a batch'}`,
    );
  const requireSize = (bytes: Uint8Array, sizeBytes: number, what: string): void => {
    if (bytes.length !== sizeBytes)
      throw new HarnessError(
        'IMAGE_CORRUPT',
        `${name} ${what} ${String(bytes.length)} bytes instead of ${String(sizeBytes)}`,
      );
  };
  requireSize(compressed, chunk.compressedSizeBytes, 'comes as');
  const plain = chunk.isCompressed ? await decompress(compressor, chunk, compressed) : compressed;
  requireSize(plain, chunk.uncompressedSizeBytes, 'decodes to');
  return plain;
}

async function decompress(
  compressor: Compressor,
  chunk: EncodedChunk,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const sizeBytes = chunk.uncompressedSizeBytes;
  const limits = { maxOutputLength: sizeBytes, chunkSize: Math.max(1024, sizeBytes) };
  try {
    switch (compressor) {
      case 'none':
        throw new Error('the blob says it does not compress');
      case 'lz4_block':
        return decodeLz4Block(bytes, sizeBytes);
      case 'zstd':
        return await zstd(bytes, limits);
      case 'gzip':
        return await gzip(bytes, limits);
    }
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError('IMAGE_CORRUPT', `chunk ${String(chunk.chunkId)} is no ${compressor}: ${reason}`, {
      cause,
    });
  }
}
