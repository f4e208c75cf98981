import { parseImageLocation, type ImageLocation } from '../image/image-reference.ts';
import type { ImageSource } from '../image/image-source.ts';
import { defaultPlatform, type ImageFlavour, type Platform } from '../image/select-manifest.ts';
import { openArchiveTree } from '../image/stored/archive-tree.ts';
import { openDirectoryTree } from '../image/stored/directory-tree.ts';
import { dockerArchiveSource } from '../image/stored/docker-archive-source.ts';
import { ociLayoutSource } from '../image/stored/oci-layout-source.ts';
import { RegistryClient, type RegistryClientOptions } from './client/registry-client.ts';
import { registrySource } from './registry-image.ts';

/** How an image is found and reached. */
export interface OpenImageSourceOptions extends RegistryClientOptions {
  /** Default linux/amd64. */
  readonly platform?: Platform;
  /** Which of the two is meant when an index has a plain image and its Nydus alternative; default plain. */
  readonly flavour?: ImageFlavour;
}

/** Opens the image at a location, given as text or parsed. Nothing is fetched before `resolve`. */
export async function openImageSource(
  location: string | ImageLocation,
  options: OpenImageSourceOptions = {},
): Promise<ImageSource> {
  const place = typeof location === 'string' ? parseImageLocation(location) : location;
  const selection = {
    platform: options.platform ?? defaultPlatform,
    flavour: options.flavour ?? ('plain' as const),
  };
  switch (place.kind) {
    case 'registry': {
      const client = new RegistryClient(place.reference.registry, options);
      return registrySource(client, place.reference, { ...selection, ownsClient: true });
    }
    case 'oci': {
      const tree = await openDirectoryTree(place.directory);
      return ociLayoutSource(tree, nameOf('oci', place.directory, place.tag), {
        ...selection,
        tag: place.tag,
      });
    }
    case 'oci-archive': {
      const tree = await openArchiveTree(place.file);
      return ociLayoutSource(tree, nameOf('oci-archive', place.file, place.tag), {
        ...selection,
        tag: place.tag,
      });
    }
    case 'docker-archive': {
      const tree = await openArchiveTree(place.file);
      const name = nameOf('docker-archive', place.file, place.tag);
      return await dockerArchiveSource(tree, name, { ...selection, tag: place.tag });
    }
  }
}

const nameOf = (transport: string, place: string, tag: string | undefined): string =>
  `${transport}:${place}${tag === undefined ? '' : `:${tag}`}`;
