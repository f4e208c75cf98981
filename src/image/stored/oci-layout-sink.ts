import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HarnessError } from '../../errors/harness-error.ts';
import type { ImageSink } from '../image-source.ts';
import { imageIndex, mediaTypes, type ImageIndex } from '../manifest.ts';
import { parseJson, parsed } from '../resolve-image.ts';
import { sha256Digest, verifiedBlob } from '../verified-blob.ts';
import { blobPath } from './stored-blobs.ts';

/**
 * Writes images into an OCI layout directory, which is made when missing. Blobs appear under their names only when they
 * are whole and their digest is right; the index is replaced in one step. Errors: DISK_FULL, OUTPUT_UNWRITABLE.
 */
export async function openOciLayoutSink(directory: string, tag?: string): Promise<ImageSink> {
  await onDisk(directory, async () => {
    await mkdir(path.join(directory, 'blobs/sha256'), { recursive: true });
    await writeFile(path.join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  });
  const at = (digest: string): string => path.join(directory, blobPath(digest));
  const indexFile = path.join(directory, 'index.json');
  const put = async (target: string, write: (partial: string) => Promise<void>): Promise<void> => {
    const partial = `${target}.${randomUUID()}.partial`;
    try {
      await onDisk(directory, () => write(partial));
      await rename(partial, target);
    } finally {
      await rm(partial, { force: true });
    }
  };
  return {
    hasBlob: async (digest) => (await stat(at(digest)).catch(() => undefined)) !== undefined,
    writeBlob: async (descriptor, content, signal) => {
      const checked = verifiedBlob(content, descriptor, `blob ${descriptor.digest}`);
      await put(at(descriptor.digest), (partial) =>
        pipeline(checked, createWriteStream(partial, { highWaterMark: 1 << 20 }), { signal }),
      );
    },
    writeManifest: async (bytes, mediaType) => {
      const digest = sha256Digest(bytes);
      await put(at(digest), (partial) => writeFile(partial, bytes));
      const named = tag === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': tag } };
      const others = (await readIndex(indexFile)).manifests.filter((entry) =>
        tag === undefined
          ? entry.digest !== digest
          : entry.annotations?.['org.opencontainers.image.ref.name'] !== tag,
      );
      const index: ImageIndex = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [...others, { mediaType, digest, size: bytes.length, ...named }],
      };
      await put(indexFile, (partial) => writeFile(partial, JSON.stringify(index)));
      return { digest };
    },
  };
}

const readIndex = async (file: string): Promise<ImageIndex> => {
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return { schemaVersion: 2, manifests: [] };
  return parsed(imageIndex, parseJson(bytes, file), file);
};

const onDisk = async <Result>(directory: string, work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new HarnessError('DISK_FULL', `the disk is full: ${directory} could not be written`, {
        cause: error,
      });
    if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST' || code === 'EPERM')
      throw new HarnessError('OUTPUT_UNWRITABLE', `${directory} cannot be written (${code})`, {
        cause: error,
      });
    throw error;
  }
};
