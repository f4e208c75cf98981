import pLimit from 'p-limit';
import { HarnessError } from '../../errors/harness-error.ts';
import type { ImageSource } from '../../image/image-source.ts';
import type { Descriptor } from '../../image/manifest.ts';
import { inContext } from './containerd-error.ts';
import type { ContentStore } from './content-store.ts';
import { bootstrapLayer, nodeImage, type NodeImage } from './node-image.ts';
import type { Snapshots, Snapshotter } from './snapshots.ts';
import { unpackLayer } from './unpack-layers.ts';

/** containerd's `max_concurrent_downloads`. */
const maxConcurrentDownloads = 3;

/** What pulls have downloaded, counted where the bytes are taken off the connection. */
export class PullCounters {
  bytes = 0;
  /** Objects downloaded: manifests, configs, layers. */
  requests = 0;
}

/** Where a pull puts things. */
export interface PullTarget {
  readonly content: ContentStore;
  readonly snapshots: Snapshots;
  readonly counters: PullCounters;
}

/**
 * Pulls an image as containerd does: manifest and config, then the layers, at most three at a time; layer N is
 * unpacked when it is down and layer N−1 is unpacked, while later ones still download. Blobs that the content store
 * has are not fetched again, and nothing is fetched when the unpacked whole is there. With the nydus snapshotter
 * only the bootstrap layer of a Nydus image is fetched. Rejects with containerd's message.
 */
export async function pullImage(options: {
  readonly reference: string;
  readonly snapshotter: Snapshotter;
  readonly source: ImageSource;
  readonly target: PullTarget;
  readonly signal: AbortSignal;
}): Promise<NodeImage> {
  const { reference, snapshotter, source, target, signal } = options;
  try {
    const resolved = await source.resolve(signal).catch((error: unknown) => {
      signal.throwIfAborted();
      // containerd names what was not found, and nothing else.
      const isMissing = error instanceof HarnessError && error.code === 'IMAGE_NOT_FOUND';
      const cause = isMissing
        ? new HarnessError('IMAGE_NOT_FOUND', `${reference}: not found`, { cause: error })
        : error;
      throw inContext(`failed to resolve reference "${reference}"`, cause);
    });
    const { manifest, config } = resolved;
    target.counters.bytes += resolved.manifestBytes.length + resolved.configBytes.length;
    target.counters.requests += 2;
    const manifestDescriptor = { digest: resolved.digest, size: resolved.manifestBytes.length };
    await target.content.write('manifest', manifestDescriptor, [resolved.manifestBytes]);
    await target.content.write('config', manifest.config, [resolved.configBytes]);
    const diffIds = config.rootfs.diff_ids;
    if (diffIds.length !== manifest.layers.length) {
      throw new HarnessError('IMAGE_CORRUPT', 'mismatched image rootfs and manifest layers');
    }
    const image = nodeImage(reference, { ...resolved, diffIds });
    await fetchAndUnpack(image, { diffIds, snapshotter, source, target, signal });
    return image;
  } catch (error) {
    signal.throwIfAborted();
    throw inContext(`failed to pull and unpack image "${reference}"`, error);
  }
}

/** Makes the image's snapshot for `snapshotter`: from the content store where it has the layers, else from `source`. */
export async function fetchAndUnpack(
  image: NodeImage,
  options: {
    readonly diffIds: readonly string[];
    readonly snapshotter: Snapshotter;
    readonly source: ImageSource;
    readonly target: PullTarget;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { diffIds, snapshotter, source, target } = options;
  const top = image.chain.at(-1);
  if (top === undefined || (await target.snapshots.has(snapshotter, top))) return;
  const bootstrap = snapshotter === 'nydus' ? bootstrapLayer(image.manifest) : undefined;
  const wanted = image.manifest.layers
    .map((layer, index) => ({ layer, diffId: diffIds[index] ?? '' }))
    .filter(({ layer }) => bootstrap === undefined || layer === bootstrap);

  // The first failure stops the other downloads, and nothing of them may run on after this function has ended.
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const limit = pLimit(maxConcurrentDownloads);
  const downloads = wanted.map(({ layer }) =>
    limit(async () => {
      signal.throwIfAborted();
      await download(layer, source, target, signal);
    }),
  );
  const settled = Promise.allSettled(downloads);
  const failed = firstFailure(downloads);
  failed.catch(() => undefined);
  try {
    await target.snapshots.make(snapshotter, top, async (directory) => {
      for (const [index, { layer, diffId }] of wanted.entries()) {
        await Promise.race([downloads[index], failed]);
        await unpackLayer({ content: target.content, layer, diffId, directory, signal });
      }
    });
  } finally {
    stop.abort();
    await settled;
  }
}

/** Never resolves; rejects as soon as one of the downloads has failed. */
async function firstFailure(downloads: readonly Promise<void>[]): Promise<never> {
  await Promise.all(downloads);
  return new Promise<never>(() => undefined);
}

async function download(
  layer: Descriptor,
  source: ImageSource,
  target: PullTarget,
  signal: AbortSignal,
): Promise<void> {
  if (await target.content.has(layer.digest)) return;
  target.counters.requests += 1;
  await target.content.write('layer', layer, counted(source.readBlob(layer, { signal }), target.counters));
}

async function* counted(
  stream: AsyncIterable<Uint8Array>,
  counters: PullCounters,
): AsyncGenerator<Uint8Array> {
  for await (const piece of stream) {
    counters.bytes += piece.length;
    yield piece;
  }
}
