import fs from 'node:fs/promises';
import { HarnessError } from '../../errors/harness-error.ts';
import type { BlobEntry } from '../../image/rafs/blob-entry.ts';
import { decodeBlobMetaHeader, metaHeaderBytes, type BlobMetaHeader } from '../../image/rafs/blob-meta.ts';
import { decodeChunk } from '../../image/rafs/decode-chunk.ts';
import { alignUp, blockSizeBytes } from '../../image/rafs/layout.ts';
import { inContext } from './containerd-error.ts';
import type { RegistryBackend } from './registry-backend.ts';

const fileBytes = (entry: BlobEntry): number =>
  alignUp(entry.metaUncompressedSizeBytes, blockSizeBytes) + metaHeaderBytes;

/**
 * What nydusd does for each blob right after the mount: one request for the compression information and its header,
 * kept as `<id>.blob.meta` (uncompressed, padded to 4 KiB, the header behind it). No request when a valid file is there.
 */
export async function loadBlobMeta(
  entry: BlobEntry,
  file: string,
  backend: RegistryBackend,
  signal: AbortSignal,
): Promise<void> {
  if (await isValid(entry, file)) return;
  const first = entry.metaOffset;
  const last = first + entry.metaCompressedSizeBytes + metaHeaderBytes - 1;
  const bytes = await backend.fetch(entry.id, { first, last }, { isPrefetch: false, signal });
  const header = bytes.subarray(entry.metaCompressedSizeBytes);
  requireMatch(decodeBlobMetaHeader(header), entry);
  const stored = bytes.subarray(0, entry.metaCompressedSizeBytes);
  // The compression information is stored like a chunk: raw when compression did not make it smaller.
  const content = await decodeChunk(
    entry.metaCompressor,
    {
      chunkId: 0,
      isCompressed: entry.metaCompressedSizeBytes !== entry.metaUncompressedSizeBytes,
      isEncrypted: false,
      isBatched: false,
      compressedSizeBytes: entry.metaCompressedSizeBytes,
      uncompressedSizeBytes: entry.metaUncompressedSizeBytes,
    },
    stored,
  );
  const padded = Buffer.alloc(fileBytes(entry));
  padded.set(content);
  padded.set(header, padded.length - metaHeaderBytes);
  await fs.writeFile(file, padded).catch((error: unknown) => {
    throw inContext(`blob cache of ${entry.id}`, error);
  });
}

/** nydusd requires the header to say what the blob table says. */
function requireMatch(header: BlobMetaHeader, entry: BlobEntry): void {
  const agrees =
    header.chunkCount === entry.chunkCount &&
    header.offset === entry.metaOffset &&
    header.compressedSizeBytes === entry.metaCompressedSizeBytes &&
    header.uncompressedSizeBytes === entry.metaUncompressedSizeBytes;
  if (!agrees) {
    throw new HarnessError('IMAGE_CORRUPT', `blob ${entry.id}: blob.meta and the bootstrap disagree`);
  }
}

async function isValid(entry: BlobEntry, file: string): Promise<boolean> {
  const found = await fs.readFile(file).catch(() => undefined);
  if (found?.length !== fileBytes(entry)) return false;
  try {
    requireMatch(decodeBlobMetaHeader(found.subarray(found.length - metaHeaderBytes)), entry);
    return true;
  } catch {
    return false;
  }
}
