import { HarnessError } from '../../errors/harness-error.ts';
import type { ByteRange } from '../image-source.ts';
import type { Descriptor } from '../manifest.ts';
import { verifiedBlob } from '../verified-blob.ts';
import type { FileTree } from './file-tree.ts';

/** Where an OCI layout keeps a blob (image-spec, image-layout.md). */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** Streams a blob from a file of the tree; checked as ImageSource promises. Missing and truncated files are named. */
export async function* readStoredBlob(
  tree: FileTree,
  path: string,
  descriptor: Descriptor,
  options: { range?: ByteRange; signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  const sizeBytes = await tree.sizeBytes(path);
  if (sizeBytes === undefined)
    throw new HarnessError('IMAGE_CORRUPT', `${tree.name} has no file ${path}, which its manifest names`);
  const what = `${path} in ${tree.name}`;
  if (sizeBytes < descriptor.size)
    throw new HarnessError('IMAGE_CORRUPT', `${what} is truncated: ${sizeBytes} of ${descriptor.size} bytes`);
  const content = tree.read(path, options);
  yield* options.range === undefined ? verifiedBlob(content, descriptor, what) : content;
}
