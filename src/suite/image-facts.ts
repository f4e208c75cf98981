import type { ResolvedImage } from '../image/image-source.ts';
import { nydusAnnotations } from '../image/manifest.ts';
import type { ImageFacts } from '../results/run-record.ts';

/** Stands for the digest where the registry could not be asked. */
export const unknownDigest = 'unknown';

/** What makes an arm's image comparable with that of another run. */
export function imageFactsOf(
  arm: string,
  image: ResolvedImage,
  names: { readonly reference: string; readonly source: string },
): ImageFacts {
  const { manifest } = image;
  const bootstrap = manifest.layers.find(
    ({ annotations }) => annotations?.[nydusAnnotations.bootstrap] !== undefined,
  );
  const note = (key: string): string | undefined =>
    bootstrap?.annotations?.[key] ?? manifest.annotations?.[key];
  const fsVersion = note(nydusAnnotations.fsVersion);
  const builder = note(nydusAnnotations.builderVersion);
  return {
    arm,
    ...names,
    digest: image.digest,
    kind: bootstrap === undefined ? 'oci' : 'nydus',
    sizeBytes:
      image.manifestBytes.length +
      manifest.config.size +
      manifest.layers.reduce((sum, { size }) => sum + size, 0),
    layers: manifest.layers.length,
    ...(fsVersion === undefined ? {} : { fsVersion }),
    ...(builder === undefined ? {} : { builder }),
  };
}
