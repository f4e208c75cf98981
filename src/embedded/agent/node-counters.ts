import type { CounterSources } from '../../agent/protocol.ts';
import type { NydusMount } from '../engine/nydus-mount.ts';
import type { ReplayContainer } from '../engine/replay-container.ts';
import type { EmbeddedNode } from './embedded-node.ts';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Mounts that are up; one that is just being made has no counters yet. */
async function mountsOf(
  node: EmbeddedNode,
  containers: readonly ReplayContainer[] | undefined,
): Promise<NydusMount[]> {
  const settled = await Promise.allSettled(node.runtime.mounts.values());
  const mounts = settled.flatMap((mount) => (mount.status === 'fulfilled' ? [mount.value] : []));
  if (containers === undefined) return mounts;
  return mounts.filter(({ id }) => containers.some(({ root }) => root.mount.daemon?.id === id));
}

/**
 * The node's traffic counters, each kept by another part: the link counts bytes on the wire, the pull what it took
 * off connections, a mount what it asked for, the chunk map what is there, the container what it was given. With a
 * pod, mount, chunk map and application are those of that pod, and absent while it has none.
 */
export async function readCounters(node: EmbeddedNode, podUid: string | undefined): Promise<CounterSources> {
  const { runtime } = node;
  const containers = [...runtime.containers.values()].filter(
    ({ spec }) => podUid === undefined || spec.podUid === podUid,
  );
  const mounts = await mountsOf(node, podUid === undefined ? undefined : containers);
  const backends = mounts.map((mount) => mount.counters());
  const maps = mounts.map((mount) => mount.chunkMap());
  const accesses = containers.map((container) => container.accesses());
  return {
    nic: { ...node.linkCounters() },
    containerd: { pulledBytes: runtime.pulls.bytes, requests: runtime.pulls.requests },
    ...(mounts.length === 0
      ? {}
      : {
          nydusd: {
            readCount: sum(backends.map(({ readCount }) => readCount)),
            readErrors: sum(backends.map(({ readErrors }) => readErrors)),
            readBytes: sum(backends.map(({ readBytes }) => readBytes)),
            prefetchBytes: sum(backends.map(({ prefetchBytes }) => prefetchBytes)),
            prefetchCount: sum(backends.map(({ prefetchCount }) => prefetchCount)),
            servedBytes: sum(backends.map(({ servedBytes }) => servedBytes)),
          },
          chunkMap: {
            readyChunks: sum(maps.map(({ readyChunks }) => readyChunks)),
            totalChunks: sum(maps.map(({ totalChunks }) => totalChunks)),
            readyCompressedBytes: sum(maps.map(({ readyCompressedBytes }) => readyCompressedBytes)),
            totalCompressedBytes: sum(maps.map(({ totalCompressedBytes }) => totalCompressedBytes)),
          },
        }),
    ...(containers.length === 0
      ? {}
      : {
          application: {
            readBytes: sum(accesses.map(({ readBytes }) => readBytes)),
            reads: sum(accesses.map(({ reads }) => reads)),
          },
        }),
  };
}
