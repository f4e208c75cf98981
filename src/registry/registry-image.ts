import type { ImageSink, ImageSource } from '../image/image-source.ts';
import { formatImageReference, type ImageReference } from '../image/image-reference.ts';
import { maxManifestBytes, resolveImage } from '../image/resolve-image.ts';
import type { ImageFlavour, Platform } from '../image/select-manifest.ts';
import { readAll } from '../image/verified-blob.ts';
import type { RegistryClient } from './client/registry-client.ts';

/** An image in a registry. Does not dispose the client unless `ownsClient`. */
export function registrySource(
  client: RegistryClient,
  reference: ImageReference,
  selection: { readonly platform: Platform; readonly flavour: ImageFlavour; readonly ownsClient?: boolean },
): ImageSource {
  const { repository } = reference;
  const name = formatImageReference(reference);
  return {
    reference: name,
    resolve: async (signal) =>
      await resolveImage({
        name,
        platform: selection.platform,
        flavour: selection.flavour,
        first: await client.manifest(repository, reference.digest ?? reference.tag ?? 'latest', { signal }),
        readManifest: async ({ digest }) => (await client.manifest(repository, digest, { signal })).bytes,
        readConfig: (descriptor) =>
          readAll(
            client.readBlob(repository, descriptor, { signal }),
            maxManifestBytes,
            `the config of ${name}`,
          ),
      }),
    readBlob: (descriptor, options = {}) => client.readBlob(repository, descriptor, options),
    [Symbol.asyncDispose]: async () => {
      if (selection.ownsClient === true) await client[Symbol.asyncDispose]();
    },
  };
}

/** A registry repository to write an image into, under the reference's tag. */
export function registrySink(client: RegistryClient, reference: ImageReference): ImageSink {
  const { repository } = reference;
  return {
    hasBlob: async (digest) => (await client.blobSizeBytes(repository, digest)) !== undefined,
    writeBlob: (descriptor, content, signal) => client.pushBlob(repository, descriptor, content, { signal }),
    writeManifest: (bytes, mediaType, signal) =>
      client.pushManifest(repository, reference.tag ?? 'latest', bytes, mediaType, { signal }),
  };
}
