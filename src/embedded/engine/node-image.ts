import { parseImageReference } from '../../image/image-reference.ts';
import { nydusAnnotations, type Descriptor, type ImageManifest } from '../../image/manifest.ts';
import { chainIds, type Snapshotter } from './snapshots.ts';

/** The runtime handler whose pods get the nydus snapshotter (RuntimeClass `nydus`). */
export const nydusHandler = 'runc-nydus';

/** containerd's rule: the handler decides the snapshotter. */
export const snapshotterOf = (runtimeHandler: string): Snapshotter =>
  runtimeHandler === nydusHandler ? 'nydus' : 'overlayfs';

/** An image in a node's image store, under all its references. */
export interface NodeImage {
  /** Image id: the config's digest. */
  readonly id: string;
  readonly manifestDigest: string;
  readonly manifest: ImageManifest;
  /** Sizes that the manifest declares, itself included: what containerd reports as the image's size. */
  readonly declaredBytes: number;
  /** Chain id per layer. */
  readonly chain: readonly string[];
  readonly isNydus: boolean;
  /** Tag, digest and id under which the image is known. */
  readonly references: Set<string>;
}

/** The bootstrap layer of a Nydus image (the last one, marked by its annotation); undefined for a plain image. */
export function bootstrapLayer(manifest: ImageManifest): Descriptor | undefined {
  const last = manifest.layers.at(-1);
  return last?.annotations?.[nydusAnnotations.bootstrap] === 'true' ? last : undefined;
}

/** Puts together what is known of an image when it has been pulled under `reference`. */
export function nodeImage(
  reference: string,
  resolved: {
    readonly digest: string;
    readonly manifest: ImageManifest;
    readonly manifestBytes: Uint8Array;
    readonly diffIds: readonly string[];
  },
): NodeImage {
  const { manifest } = resolved;
  const { registry, repository } = parseImageReference(reference);
  const id = manifest.config.digest;
  return {
    id,
    manifestDigest: resolved.digest,
    manifest,
    declaredBytes: manifest.layers.reduce(
      (sum, layer) => sum + layer.size,
      manifest.config.size + resolved.manifestBytes.length,
    ),
    chain: chainIds(resolved.diffIds),
    isNydus: bootstrapLayer(manifest) !== undefined,
    references: new Set([reference, `${registry}/${repository}@${resolved.digest}`, id]),
  };
}
