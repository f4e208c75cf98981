import { createHash } from 'node:crypto';
import { z } from 'zod';
import { HarnessError } from '../../errors/harness-error.ts';
import { detectCompression } from '../layer-stream.ts';
import type { ImageSource, ResolvedImage } from '../image-source.ts';
import { imageConfig, mediaTypes, type Descriptor, type ImageManifest } from '../manifest.ts';
import { maxManifestBytes, parseJson, parsed } from '../resolve-image.ts';
import { readAll, sha256Digest } from '../verified-blob.ts';
import type { FileTree } from './file-tree.ts';
import { ociLayoutSource, type Selection } from './oci-layout-source.ts';
import { readStoredBlob } from './stored-blobs.ts';

/** manifest.json of `docker save` (moby, image/tarexport). */
const savedImages = z.array(
  z.looseObject({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }),
);

/**
 * An image that `docker save` (or skopeo, podman, crane) wrote. Newer Docker writes an OCI layout beside its own
 * files: then that is read, and digests are those of the registry. Otherwise layers are stored uncompressed and the
 * manifest is made here, the same each time. Takes the tree over and disposes it.
 */
export async function dockerArchiveSource(
  tree: FileTree,
  reference: string,
  selection: Selection,
): Promise<ImageSource> {
  if ((await tree.sizeBytes('index.json')) !== undefined) return ociLayoutSource(tree, reference, selection);
  const files = new Map<string, string>();
  const resolve = async (signal?: AbortSignal): Promise<ResolvedImage> => {
    if ((await tree.sizeBytes('manifest.json')) === undefined)
      throw new HarnessError('IMAGE_NOT_FOUND', `${tree.name} is no docker archive: it has no manifest.json`);
    const what = `manifest.json of ${tree.name}`;
    const listBytes = await readAll(tree.read('manifest.json'), maxManifestBytes, what);
    const saved = choose(parsed(savedImages, parseJson(listBytes, what), what), selection.tag, tree.name);
    await existing(tree, saved.Config);
    const configBytes = await readAll(tree.read(saved.Config), maxManifestBytes, saved.Config);
    const configJson = parseJson(configBytes, `${saved.Config} of ${tree.name}`);
    const config = parsed(imageConfig, configJson, `${saved.Config} of ${tree.name}`);
    if (config.rootfs.diff_ids.length !== saved.Layers.length)
      throw new HarnessError(
        'IMAGE_CORRUPT',
        `${tree.name} has ${saved.Layers.length} layers, but its config names ${config.rootfs.diff_ids.length}`,
      );
    const layers: Descriptor[] = [];
    for (const [index, diffId] of config.rootfs.diff_ids.entries()) {
      signal?.throwIfAborted();
      const file = saved.Layers[index] ?? '';
      const layer = await layerDescriptor(tree, file, diffId);
      files.set(layer.digest, file);
      layers.push(layer);
    }
    const configDescriptor = {
      mediaType: mediaTypes.ociConfig,
      digest: sha256Digest(configBytes),
      size: configBytes.length,
    };
    files.set(configDescriptor.digest, saved.Config);
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: configDescriptor,
      layers,
    };
    const manifestBytes = Buffer.from(JSON.stringify(manifest));
    return { digest: sha256Digest(manifestBytes), manifest, manifestBytes, config, configBytes };
  };
  return {
    reference,
    resolve,
    async *readBlob(descriptor, options) {
      if (files.size === 0) await resolve(options?.signal);
      yield* readStoredBlob(tree, files.get(descriptor.digest) ?? descriptor.digest, descriptor, options);
    },
    [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose](),
  };
}

const existing = async (tree: FileTree, file: string): Promise<number> => {
  const sizeBytes = await tree.sizeBytes(file);
  if (sizeBytes !== undefined) return sizeBytes;
  throw new HarnessError('IMAGE_CORRUPT', `${tree.name} has no file ${file}, which its manifest.json names`);
};

const layerDescriptor = async (tree: FileTree, file: string, diffId: string): Promise<Descriptor> => {
  const size = await existing(tree, file);
  const start = await readAll(tree.read(file, { range: { first: 0, last: 3 } }), 4, file);
  const compression = detectCompression(start);
  if (compression === 'none') return { mediaType: mediaTypes.ociLayer, digest: diffId, size };
  // Only Docker itself always unpacks layers before saving: others' digests have to be computed.
  const hash = createHash('sha256');
  for await (const piece of tree.read(file)) hash.update(piece);
  const mediaType = compression === 'gzip' ? mediaTypes.ociLayerGzip : mediaTypes.ociLayerZstd;
  return { mediaType, digest: `sha256:${hash.digest('hex')}`, size };
};

type SavedImage = z.infer<typeof savedImages>[number];

const choose = (images: readonly SavedImage[], tag: string | undefined, place: string): SavedImage => {
  const [first, second] = images;
  const isNamed = (name: string): boolean => name === tag || name.endsWith(`/${String(tag)}`);
  const chosen =
    tag === undefined
      ? second === undefined
        ? first
        : undefined
      : images.find((image) => image.RepoTags?.some(isNamed));
  if (chosen !== undefined) return chosen;
  const has = images.flatMap((image) => image.RepoTags ?? []).join(', ');
  throw new HarnessError(
    'IMAGE_NOT_FOUND',
    tag === undefined
      ? `${place} holds ${first === undefined ? 'no image' : 'several images'}`
      : `${place} has no image ${tag}`,
    { hint: has === '' ? 'Its images have no names.' : `It has ${has}: put one after the path and a colon.` },
  );
};
