import type { ImageSink, ImageSource, ResolvedImage } from './image-source.ts';
import { mediaTypes, type Descriptor } from './manifest.ts';

/** Copies one image, its blobs first and its manifest last; blobs that the sink has are not read. Bytes stay as they are. */
export async function copyImage(
  source: ImageSource,
  sink: ImageSink,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ResolvedImage> {
  const { signal } = options;
  const image = await source.resolve(signal);
  const blobs = new Map<string, Descriptor>(
    [image.manifest.config, ...image.manifest.layers].map((blob) => [blob.digest, blob]),
  );
  for (const blob of blobs.values()) {
    if (await sink.hasBlob(blob.digest)) continue;
    await sink.writeBlob(blob, source.readBlob(blob, signal === undefined ? {} : { signal }), signal);
  }
  await sink.writeManifest(image.manifestBytes, image.manifest.mediaType ?? mediaTypes.ociManifest, signal);
  return image;
}
