import { HarnessError } from '../errors/harness-error.ts';
import { type Descriptor, type ImageIndex } from './manifest.ts';

/** What an image must run on; `linux/amd64` unless something else is asked for. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Which of two images of one platform in an index is meant: the plain one, or its Nydus alternative. */
export type ImageFlavour = 'plain' | 'nydus';

export const defaultPlatform: Platform = { os: 'linux', architecture: 'amd64' };

/** Marks of Nydus entries in an index: nydusify since 2.3.5, and before (acceleration-service). */
const nydusArtifactType = 'application/vnd.nydus.image.manifest.v1+json';
const nydusOsFeature = 'nydus.remoteimage.v1';

type IndexEntry = ImageIndex['manifests'][number];

/** Whether an entry of an index is the Nydus alternative of a plain image. */
export function isNydusEntry(entry: IndexEntry): boolean {
  return (
    entry.artifactType === nydusArtifactType ||
    entry.platform?.['os.features']?.includes(nydusOsFeature) === true
  );
}

/**
 * Chooses the entry of an index for a platform. An index with one flavour only gives that one. Entries for
 * `unknown/unknown` are attestations. Errors: IMAGE_UNSUPPORTED, naming the platforms there are.
 */
export function selectManifest(
  index: ImageIndex,
  platform: Platform,
  flavour: ImageFlavour,
  name: string,
): Descriptor {
  const images = index.manifests.filter(
    (entry) => entry.platform?.os !== 'unknown' && (entry.artifactType === undefined || isNydusEntry(entry)),
  );
  const fitting = images.filter(
    ({ platform: has }) =>
      has?.os === platform.os &&
      has.architecture === platform.architecture &&
      (platform.variant === undefined || has.variant === platform.variant),
  );
  const [only] = images;
  // Builders that make images for one platform may leave the platform out.
  const candidates =
    fitting.length === 0 && images.length === 1 && only?.platform === undefined ? images : fitting;
  const chosen = candidates.find((entry) => isNydusEntry(entry) === (flavour === 'nydus')) ?? candidates[0];
  if (chosen !== undefined) return chosen;
  const wanted = `${platform.os}/${platform.architecture}`;
  const has = [
    ...new Set(images.map((e) => `${e.platform?.os ?? '?'}/${e.platform?.architecture ?? '?'}`)),
  ].join(', ');
  throw new HarnessError(
    'IMAGE_UNSUPPORTED',
    `${name} has no image for ${wanted}; it has ${has === '' ? 'none at all' : has}`,
  );
}
