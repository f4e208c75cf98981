import { imageManifest, mediaTypes, nydusAnnotations } from '../../image/manifest.ts';
import type { TrafficClass } from '../../evidence/raw-evidence.ts';

/** Annotation of a zran image: the data stays in the original layer (nydus-snapshotter, pkg/label). */
const referenceAnnotation = 'containerd.io/snapshot/nydus-ref';

/** What kind of thing each blob is, as the manifests that name it say. */
export class TrafficClasses {
  readonly #blobs = new Map<string, TrafficClass>();
  /** Plain layers that a Nydus image reads in place, by ranges. */
  readonly #referenced = new Set<string>();

  /** Learns from a manifest; other documents are passed over. */
  learn(json: unknown): void {
    const manifest = imageManifest.safeParse(json).data;
    if (manifest === undefined) return;
    this.#blobs.set(manifest.config.digest, 'config');
    const bootstrap = manifest.layers.findLast(
      (layer) => layer.annotations?.[nydusAnnotations.bootstrap] === 'true',
    );
    for (const layer of manifest.layers) {
      const isData =
        layer.mediaType === mediaTypes.nydusBlob || layer.annotations?.[nydusAnnotations.blob] === 'true';
      this.#blobs.set(layer.digest, layer === bootstrap ? 'bootstrap' : isData ? 'chunk' : 'layer');
      const reference = layer.annotations?.[referenceAnnotation];
      if (reference !== undefined) this.#referenced.add(reference);
    }
  }

  /** The class of a request for a blob. */
  ofBlob(digest: string, hasRange: boolean): TrafficClass {
    if (hasRange && this.#referenced.has(digest)) return 'chunk';
    return this.#blobs.get(digest) ?? 'other';
  }
}
