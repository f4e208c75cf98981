import { HarnessError } from '../../errors/harness-error.ts';
import type { ImageSource } from '../image-source.ts';
import { imageIndex, type Descriptor, type ImageIndex } from '../manifest.ts';
import { maxManifestBytes, parseJson, parsed, resolveImage } from '../resolve-image.ts';
import { isNydusEntry, type ImageFlavour, type Platform } from '../select-manifest.ts';
import { readAll } from '../verified-blob.ts';
import type { FileTree } from './file-tree.ts';
import { blobPath, readStoredBlob } from './stored-blobs.ts';

/** What is chosen from a place that holds several images. */
export interface Selection {
  readonly tag?: string | undefined;
  readonly platform: Platform;
  readonly flavour: ImageFlavour;
}

const tagAnnotation = 'org.opencontainers.image.ref.name';
const nameAnnotation = 'io.containerd.image.name';

/** An image in an OCI layout, whether a directory or an archive. Takes the tree over and disposes it. */
export function ociLayoutSource(tree: FileTree, reference: string, selection: Selection): ImageSource {
  const manifestBytes = (descriptor: Descriptor, signal?: AbortSignal): Promise<Uint8Array> =>
    readAll(
      readStoredBlob(tree, blobPath(descriptor.digest), descriptor, signal === undefined ? {} : { signal }),
      maxManifestBytes,
      `blob ${descriptor.digest}`,
    );
  return {
    reference,
    async resolve(signal) {
      if ((await tree.sizeBytes('index.json')) === undefined)
        throw new HarnessError('IMAGE_NOT_FOUND', `${tree.name} is not an OCI layout: it has no index.json`);
      const bytes = await readAll(tree.read('index.json'), maxManifestBytes, `index.json of ${tree.name}`);
      const what = `index.json of ${tree.name}`;
      const chosen = choose(parsed(imageIndex, parseJson(bytes, what), what), selection, tree.name);
      return await resolveImage({
        name: reference,
        platform: selection.platform,
        flavour: selection.flavour,
        first: { digest: chosen.digest, bytes: await manifestBytes(chosen, signal) },
        readManifest: (descriptor) => manifestBytes(descriptor, signal),
        readConfig: (descriptor) => manifestBytes(descriptor, signal),
      });
    },
    readBlob: (descriptor, options) => readStoredBlob(tree, blobPath(descriptor.digest), descriptor, options),
    [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose](),
  };
}

const namesOf = (entry: Descriptor): readonly string[] =>
  [entry.annotations?.[tagAnnotation], entry.annotations?.[nameAnnotation]].filter(
    (name) => name !== undefined,
  );

const choose = (index: ImageIndex, selection: Selection, place: string): Descriptor => {
  const { tag } = selection;
  const fitting =
    tag === undefined
      ? index.manifests
      : index.manifests.filter((entry) =>
          namesOf(entry).some((name) => name === tag || name.endsWith(`/${tag}`)),
        );
  // Platforms of one image may stand side by side at the top.
  const [first, second] = fitting;
  const chosen =
    second === undefined
      ? first
      : fitting.find(
          (entry) =>
            entry.platform?.os === selection.platform.os &&
            entry.platform.architecture === selection.platform.architecture &&
            isNydusEntry(entry) === (selection.flavour === 'nydus'),
        );
  const ambiguous = second !== undefined && tag === undefined && chosen?.platform === undefined;
  if (chosen !== undefined && !ambiguous) return chosen;
  if (first !== undefined && tag !== undefined) return first;
  const has = index.manifests.flatMap(namesOf).join(', ');
  throw new HarnessError(
    'IMAGE_NOT_FOUND',
    tag === undefined
      ? `${place} holds ${index.manifests.length === 0 ? 'no image' : 'several images'}`
      : `${place} has no image ${tag}`,
    { hint: has === '' ? 'Its images have no names.' : `It has ${has}: put one after the path and a colon.` },
  );
};
