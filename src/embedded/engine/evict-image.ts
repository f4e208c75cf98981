import type { NodeImage } from './node-image.ts';
import type { NodeRuntime } from './node-runtime.ts';
import type { Snapshotter } from './snapshots.ts';

const snapshotters: readonly Snapshotter[] = ['overlayfs', 'nydus'];

/** Everything of an image that is on a node. */
export interface ImageOnNode {
  readonly references: readonly string[];
  readonly contentBlobs: readonly string[];
  readonly snapshots: readonly string[];
  readonly blobCacheFiles: readonly string[];
  readonly containers: readonly string[];
}

const blobsOf = (image: NodeImage): readonly string[] => [
  image.manifestDigest,
  image.id,
  ...image.manifest.layers.map(({ digest }) => digest),
];

/** Looks for what an image has left on a node, in the stores themselves: also after it was removed. */
export async function findOnNode(node: NodeRuntime, image: NodeImage): Promise<ImageOnNode> {
  const stored = new Set(await node.content.list());
  const snapshots: string[] = [];
  const top = image.chain.at(-1) ?? '';
  for (const snapshotter of snapshotters) {
    if (await node.snapshots.has(snapshotter, top)) snapshots.push(`${snapshotter}/${top}`);
  }
  const blobCacheFiles: string[] = [];
  for (const { digest } of image.manifest.layers) {
    blobCacheFiles.push(...(await node.caches.filesOf(digest.slice('sha256:'.length))));
  }
  return {
    references: [...(node.images.get(image.id)?.references ?? [])].sort(),
    contentBlobs: blobsOf(image).filter((digest) => stored.has(digest)),
    snapshots,
    blobCacheFiles,
    containers: containersOf(node, image),
  };
}

const containersOf = (node: NodeRuntime, image: NodeImage): string[] =>
  [...node.containers.values()]
    .filter(({ spec }) => image.references.has(spec.image))
    .map(({ id, spec }) => `${spec.namespace}/${spec.podName}/${spec.containerName} (${id.slice(0, 12)})`);

/**
 * Removes an image by all its references, as containerd's RemoveImage does, and then what nothing else on the node
 * refers to: content, snapshots, the mount, the blob cache. Returns what keeps the rest (empty: all is gone).
 */
export async function evictImage(node: NodeRuntime, image: NodeImage): Promise<string[]> {
  const holders = containersOf(node, image);
  node.images.delete(image.id);
  const others = [...node.images.values()];
  const keptBy: string[] = [];

  const usedContent = new Set(others.flatMap((other) => [...blobsOf(other)]));
  for (const digest of blobsOf(image)) {
    if (!usedContent.has(digest)) await node.content.remove(digest);
    else keptBy.push(`content ${digest}: another image has it too`);
  }
  const top = image.chain.at(-1) ?? '';
  if (holders.length > 0) {
    keptBy.push(...holders.map((holder) => `snapshot ${top}: container ${holder} uses it`));
    return keptBy;
  }
  if (others.some((other) => other.chain.at(-1) === top)) {
    keptBy.push(`snapshot ${top}: another image has the same layers`);
    return keptBy;
  }
  await node.unmount(top);
  for (const snapshotter of snapshotters) await node.snapshots.remove(snapshotter, top);
  for (const { digest } of image.manifest.layers) {
    const isGone = await node.caches.remove(digest.slice('sha256:'.length));
    if (!isGone) keptBy.push(`blob cache ${digest}: another image's mount uses it`);
  }
  return keptBy;
}
