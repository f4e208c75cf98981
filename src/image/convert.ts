import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import tar from 'tar-stream';
import { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import type { ImageSink, ImageSource, ResolvedImage } from './image-source.ts';
import type { LayerEntry } from './layer-entry.ts';
import { mediaTypes, nydusAnnotations, type Descriptor } from './manifest.ts';
import type { WriterCompressor } from './rafs/blob-writer.ts';
import { convertLayers, type ConvertedBlob } from './rafs/convert-layers.ts';

/** How far a conversion is. */
export type ConvertProgress =
  | {
      readonly kind: 'layer';
      readonly layer: number;
      readonly layers: number;
      readonly fileSizeBytes: number;
    }
  | { readonly kind: 'pushed'; readonly digest: string; readonly sizeBytes: number };

/** What to convert, from where to where, and how. */
export interface ConvertImageOptions {
  readonly source: ImageSource;
  readonly sink: ImageSink;
  /** Decompresses and reads a layer's tar. */
  readonly layerEntries: (stream: AsyncIterable<Uint8Array>, mediaType: string) => AsyncIterable<LayerEntry>;
  /** Data blobs wait here until they are pushed; what the conversion makes, it removes. Must exist. */
  readonly workDirectory: string;
  /** Goes into the manifest as the builder: `lazybench 1.2.3`. */
  readonly builderVersion: string;
  readonly chunkSizeBytes?: number;
  readonly compressor?: WriterCompressor;
  /** Paths that nydusd shall fetch first; `/` for everything. */
  readonly prefetch?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ConvertProgress) => void;
}

/** The image that was written. */
export interface ConvertedImage {
  readonly digest: string;
  readonly sourceDigest: string;
  /** Compressed sizes of the data blobs and the bootstrap layer. */
  readonly blobSizesBytes: readonly number[];
  readonly bootstrapSizeBytes: number;
  readonly missingPrefetchPaths: readonly string[];
  readonly droppedXattrs: readonly string[];
}

const compress = promisify(gzip);
const sha256 = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes)}`;

/**
 * Converts an OCI image to a Nydus (RAFS v6) image: data blobs, bootstrap layer, config and manifest, pushed in
 * that order, so that a tag never names something incomplete. The same input gives the same digests.
 * Throws IMAGE_UNSUPPORTED when the source is a Nydus image already, and what {@link convertLayers} throws.
 */
export async function convertImage(options: ConvertImageOptions): Promise<ConvertedImage> {
  const { source, sink, signal } = options;
  const image = await source.resolve(signal);
  requirePlainImage(image, source.reference);
  const workDirectory = await mkdtemp(path.join(options.workDirectory, 'convert-'));
  try {
    const converted = await convertLayers(layersOf(image, options), {
      workDirectory,
      ...(options.chunkSizeBytes === undefined ? {} : { chunkSizeBytes: options.chunkSizeBytes }),
      ...(options.compressor === undefined ? {} : { compressor: options.compressor }),
      ...(options.prefetch === undefined ? {} : { prefetch: options.prefetch }),
      ...(signal === undefined ? {} : { signal }),
      onLayer: ({ layerIndex, fileSizeBytes }) =>
        options.onProgress?.({
          kind: 'layer',
          layer: layerIndex + 1,
          layers: image.manifest.layers.length,
          fileSizeBytes,
        }),
    });
    const push = async (descriptor: Descriptor, content: AsyncIterable<Uint8Array>): Promise<Descriptor> => {
      signal?.throwIfAborted();
      if (!(await sink.hasBlob(descriptor.digest))) await sink.writeBlob(descriptor, content, signal);
      options.onProgress?.({ kind: 'pushed', digest: descriptor.digest, sizeBytes: descriptor.size });
      return descriptor;
    };
    const blobs: Descriptor[] = [];
    for (const blob of converted.blobs)
      blobs.push(await push(blobDescriptor(blob), createReadStream(blob.file)));
    const layer = await packBootstrap(converted.bootstrap);
    const bootstrap = await push(layer.descriptor, once(layer.bytes));
    const diffIds = [...blobs.map(({ digest }) => digest), layer.diffId];
    const configBytes = convertConfig(image, diffIds, converted.blobs, options.builderVersion);
    const config = await push(
      { mediaType: mediaTypes.ociConfig, digest: sha256(configBytes), size: configBytes.length },
      once(configBytes),
    );
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config,
        layers: [...blobs, bootstrap],
        annotations: {
          ...image.manifest.annotations,
          [nydusAnnotations.fsVersion]: '6',
          [nydusAnnotations.builderVersion]: options.builderVersion,
          [nydusAnnotations.sourceDigest]: image.digest,
          [nydusAnnotations.sourceReference]: source.reference,
        },
      }),
    );
    const { digest } = await sink.writeManifest(manifest, mediaTypes.ociManifest, signal);
    return {
      digest,
      sourceDigest: image.digest,
      blobSizesBytes: blobs.map(({ size }) => size),
      bootstrapSizeBytes: bootstrap.size,
      missingPrefetchPaths: converted.missingPrefetchPaths,
      droppedXattrs: converted.droppedXattrs,
    };
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

function requirePlainImage(image: ResolvedImage, reference: string): void {
  const isNydus = image.manifest.layers.some(
    ({ annotations }) => annotations?.[nydusAnnotations.bootstrap] === 'true',
  );
  if (isNydus)
    throw new HarnessError('IMAGE_UNSUPPORTED', `${reference} is a Nydus image already`, {
      hint: 'Convert the plain OCI image that it was made from.',
    });
}

function* layersOf(
  { manifest }: ResolvedImage,
  { source, layerEntries, signal }: ConvertImageOptions,
): Generator<AsyncIterable<LayerEntry>> {
  for (const layer of manifest.layers)
    yield layerEntries(source.readBlob(layer, signal === undefined ? {} : { signal }), layer.mediaType);
}

const blobDescriptor = ({ id, sizeBytes }: ConvertedBlob): Descriptor => ({
  mediaType: mediaTypes.nydusBlob,
  digest: `sha256:${id}`,
  size: sizeBytes,
  annotations: { [nydusAnnotations.blob]: 'true', [nydusAnnotations.uncompressed]: `sha256:${id}` },
});

const once = (bytes: Uint8Array): AsyncIterable<Uint8Array> => Readable.from([bytes]);

/** The layer that snapshotters unpack: `image/image.boot` in a tar, all times zero. */
async function packBootstrap(
  bootstrap: Buffer,
): Promise<{ readonly bytes: Buffer; readonly diffId: string; readonly descriptor: Descriptor }> {
  const pack = tar.pack();
  const mtime = new Date(0);
  pack.entry({ name: 'image', type: 'directory', mode: 0o755, mtime });
  pack.entry({ name: 'image/image.boot', mode: 0o444, mtime }, bootstrap);
  pack.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of pack as AsyncIterable<unknown>) if (part instanceof Uint8Array) parts.push(part);
  const plain = Buffer.concat(parts);
  const bytes = await compress(plain);
  const diffId = sha256(plain);
  return {
    bytes,
    diffId,
    descriptor: {
      mediaType: mediaTypes.ociLayerGzip,
      digest: sha256(bytes),
      size: bytes.length,
      annotations: {
        [nydusAnnotations.bootstrap]: 'true',
        [nydusAnnotations.fsVersion]: '6',
        [nydusAnnotations.uncompressed]: diffId,
      },
    },
  };
}

const rawConfig = z.looseObject({
  history: z.array(z.looseObject({ empty_layer: z.boolean().optional() })).nullish(),
});

/**
 * The source's config with other layers. Its history is kept where it matches the source's layers: an entry whose
 * layer has become part of others turns into one without a layer, so that entries and diff ids still agree.
 */
function convertConfig(
  image: ResolvedImage,
  diffIds: readonly string[],
  blobs: readonly ConvertedBlob[],
  builderVersion: string,
): Buffer {
  const config = rawConfig.parse(JSON.parse(Buffer.from(image.configBytes).toString('utf8')));
  const { history, ...rest } = config;
  const withBlob = new Set(blobs.map(({ layerIndex }) => layerIndex));
  let layer = -1;
  const kept = (history ?? []).map((entry) => {
    if (entry.empty_layer === true) return entry;
    layer += 1;
    return withBlob.has(layer) ? entry : { ...entry, empty_layer: true };
  });
  const matches = layer + 1 === image.manifest.layers.length;
  return Buffer.from(
    JSON.stringify({
      ...rest,
      rootfs: { type: 'layers', diff_ids: diffIds },
      ...(matches && history
        ? { history: [...kept, { created_by: `${builderVersion} (Nydus bootstrap)` }] }
        : {}),
    }),
  );
}
