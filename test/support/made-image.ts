import { gzipSync, zstdCompressSync } from 'node:zlib';
import { HarnessError } from '../../src/errors/harness-error.ts';
import type { ImageSource } from '../../src/image/image-source.ts';
import { mediaTypes, type Descriptor, type ImageManifest } from '../../src/image/manifest.ts';
import { sha256Digest } from '../../src/image/verified-blob.ts';
import { tarOf, type TarMember } from './sample-image.ts';

/** One layer of a made image. */
export interface MadeLayer {
  readonly compression: 'gzip' | 'zstd';
  readonly members: readonly TarMember[];
}

/** An image made on the spot, as a source; `diffIds` replaces the true diff ids of its config. */
export async function madeImage(
  layers: readonly MadeLayer[],
  options: { readonly diffIds?: readonly string[] } = {},
): Promise<ImageSource> {
  const blobs = new Map<string, Buffer>();
  const put = (mediaType: string, bytes: Buffer): Descriptor => {
    const digest = sha256Digest(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const descriptors: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const { compression, members } of layers) {
    const plain = await tarOf(members);
    diffIds.push(sha256Digest(plain));
    descriptors.push(
      compression === 'gzip'
        ? put(mediaTypes.ociLayerGzip, gzipSync(plain))
        : put(mediaTypes.ociLayerZstd, zstdCompressSync(plain)),
    );
  }
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/app'] },
    rootfs: { type: 'layers', diff_ids: [...(options.diffIds ?? diffIds)] },
  };
  const configBytes = Buffer.from(JSON.stringify(config));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: put(mediaTypes.ociConfig, configBytes),
    layers: descriptors,
  };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const digest = sha256Digest(manifestBytes);
  return {
    reference: 'made:1',
    resolve: () => Promise.resolve({ digest, manifest, manifestBytes, config, configBytes }),
    async *readBlob(descriptor) {
      const bytes = blobs.get(descriptor.digest);
      if (bytes === undefined) throw new HarnessError('IMAGE_NOT_FOUND', `no blob ${descriptor.digest}`);
      yield await Promise.resolve(bytes);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
