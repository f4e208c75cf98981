import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { HarnessError } from '../../errors/harness-error.ts';
import type { FileTree } from './file-tree.ts';

/** Pieces of this size keep hashing and decompression busy without many hops. */
export const readPieceBytes = 512 * 1024;

/** The files below a directory. IMAGE_NOT_FOUND when it is none. */
export async function openDirectoryTree(directory: string): Promise<FileTree> {
  const status = await stat(directory).catch(() => undefined);
  if (status?.isDirectory() !== true)
    throw new HarnessError('IMAGE_NOT_FOUND', `${directory} is not a directory`, {
      hint: 'oci: takes the directory of an OCI layout; oci-archive: takes a file.',
    });
  return {
    name: directory,
    sizeBytes: async (name) => {
      const file = await stat(path.join(directory, name)).catch(() => undefined);
      return file?.isFile() === true ? file.size : undefined;
    },
    read: (name, { range, signal } = {}) =>
      createReadStream(path.join(directory, name), {
        highWaterMark: readPieceBytes,
        ...(range === undefined ? {} : { start: range.first, end: range.last }),
        ...(signal === undefined ? {} : { signal }),
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
