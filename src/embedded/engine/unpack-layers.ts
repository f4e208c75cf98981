import { applyLayer } from '../../image/apply-layer.ts';
import { layerEntries } from '../../image/layer-entries.ts';
import { HarnessError } from '../../errors/harness-error.ts';
import { isTarLayer } from '../../image/layer-stream.ts';
import type { Descriptor } from '../../image/manifest.ts';
import { inContext } from './containerd-error.ts';
import type { ContentStore } from './content-store.ts';

/**
 * Unpacks one layer from the content store over what `directory` holds, and checks its diff id. Errors say what
 * containerd says: `failed to extract layer …`, `wrong diff id calculated on extraction …`.
 */
export async function unpackLayer(options: {
  readonly content: ContentStore;
  readonly layer: Descriptor;
  readonly diffId: string;
  readonly directory: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { content, layer, diffId, directory, signal } = options;
  if (!isTarLayer(layer.mediaType)) {
    // What containerd's differ says of a Nydus data blob when no stream processor is configured for it.
    throw new HarnessError(
      'IMAGE_UNSUPPORTED',
      `failed to extract layer ${diffId}: failed to get stream processor for ${layer.mediaType}: no processor for media-type: unknown`,
      { hint: 'A Nydus image needs a RuntimeClass whose handler uses the nydus snapshotter.' },
    );
  }
  try {
    const entries = layerEntries(content.read(layer.digest), layer.mediaType, {
      diffId,
      name: layer.digest,
    });
    await applyLayer(entries, directory, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HarnessError && error.code === 'DIGEST_MISMATCH') {
      throw new HarnessError('DIGEST_MISMATCH', `wrong diff id calculated on extraction "${diffId}"`, {
        cause: error,
      });
    }
    // applyLayer explains a full disk for people; the node repeats what its runtime would say.
    const cause = error instanceof HarnessError && error.code === 'DISK_FULL' ? error.cause : error;
    throw inContext(`failed to extract layer ${diffId}`, cause);
  }
}
