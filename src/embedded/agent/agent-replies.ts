import os from 'node:os';
import {
  agentProtocolVersion,
  type EvictReply,
  type ImageReply,
  type NodeReply,
  type PodReply,
} from '../../agent/protocol.ts';
import type { Clock } from '../../units/clock.ts';
import { evictImage, findOnNode } from '../engine/evict-image.ts';
import { nydusHandler } from '../engine/node-image.ts';
import type { EmbeddedNode } from './embedded-node.ts';

/** The sentence that everything measured here has to carry. */
export const embeddedStatement = 'embedded node: real bytes and requests, no kernel, FUSE or runtime cost';

/** `GET /v1/node` */
export function nodeReply(node: EmbeddedNode, version: string): NodeReply {
  return {
    protocol: agentProtocolVersion,
    agentVersion: version,
    nodeName: node.name,
    kernel: os.release(),
    os: os.version(),
    architecture: os.arch(),
    containerRuntime: `lazybench-embedded://${version}`,
    snapshotters: [
      { name: 'overlayfs', version },
      { name: 'nydus', version },
    ],
    runtimeHandlers: ['runc', nydusHandler],
    // Prefetch is set per arm here, not per node.
    nydusd: { version: `embedded ${version}`, amplifyIoBytes: node.amplifyBytes, prefetch: 'unknown' },
    clockSource: 'the clock of the harness itself',
    statements: [embeddedStatement],
  };
}

/** `GET /v1/images/{ref}`: also of an image that was removed, should it have left anything. */
export async function imageReply(node: EmbeddedNode, reference: string): Promise<ImageReply> {
  const { runtime } = node;
  const image = runtime.imageOf(reference) ?? runtime.pulled.get(reference);
  const nothing = { references: [], contentBlobs: [], snapshots: [], blobCacheFiles: [], containers: [] };
  const found = image === undefined ? nothing : await findOnNode(runtime, image);
  return {
    reference,
    present: runtime.imageOf(reference) !== undefined,
    references: [...found.references],
    contentBlobs: [...found.contentBlobs],
    snapshots: [...found.snapshots],
    blobCacheFiles: [...found.blobCacheFiles],
    containers: [...found.containers],
  };
}

/** `POST /v1/evict` */
export async function evictReply(
  node: EmbeddedNode,
  references: readonly string[],
  clock: Clock,
): Promise<EvictReply> {
  const { runtime } = node;
  const beganNs = clock.monotonicNs();
  const keptBy: string[] = [];
  for (const reference of references) {
    const image = runtime.imageOf(reference) ?? runtime.pulled.get(reference);
    if (image !== undefined) keptBy.push(...(await evictImage(runtime, image)));
  }
  const images: ImageReply[] = [];
  for (const reference of references) images.push(await imageReply(node, reference));
  return { images, durationMs: Number(clock.monotonicNs() - beganNs) / 1e6, keptBy: [...new Set(keptBy)] };
}

/** `GET /v1/pods/{uid}`; undefined when the node has no container of that pod. */
export function podReply(node: EmbeddedNode, podUid: string): PodReply | undefined {
  const container = [...node.runtime.containers.values()].find(({ spec }) => spec.podUid === podUid);
  if (container === undefined) return undefined;
  const { daemon, snapshotter, lowerDirectories } = container.root.mount;
  return {
    snapshotter,
    ...(lowerDirectories === undefined ? {} : { lowerDirectories }),
    daemons: daemon === undefined ? [] : [{ ...daemon, imageReference: container.spec.image }],
    accesses: container.accesses().files.map(({ path, readBytes, firstAtNs }) => ({
      path,
      readBytes,
      firstAtNs: firstAtNs.toString(),
    })),
  };
}
