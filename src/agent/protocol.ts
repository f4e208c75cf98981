import { z } from 'zod';

/**
 * The node agent's protocol, version 1: HTTP with JSON, reached through the API server's pod proxy, checked on
 * both sides. Instants are nanoseconds since the epoch on the *node's* clock, as decimal strings.
 */
export const agentProtocolVersion = 1;

/** Header that carries the agent's token: the API server strips `Authorization` when it proxies. */
export const agentTokenHeader = 'x-lazybench-token';

/** Nanoseconds since the epoch as a decimal string (a bigint that JSON can carry). */
export const instantNs = z.string().regex(/^-?\d+$/u);

/** `GET /v1/clock` */
export const clockReply = z.strictObject({ atNs: instantNs });
export type ClockReply = z.infer<typeof clockReply>;

/** `GET /v1/node`: what the node is made of. */
export const nodeReply = z.strictObject({
  protocol: z.literal(agentProtocolVersion),
  agentVersion: z.string(),
  nodeName: z.string(),
  kernel: z.string(),
  os: z.string(),
  architecture: z.string(),
  containerRuntime: z.string(),
  snapshotters: z.array(z.strictObject({ name: z.string(), version: z.string().optional() })),
  runtimeHandlers: z.array(z.string()),
  nydusd: z
    .strictObject({
      version: z.string(),
      /** Bytes that one on-demand read is widened to (`amplify_io`). */
      amplifyIoBytes: z.number().int().optional(),
      prefetch: z.enum(['off', 'all', 'list', 'unknown']),
    })
    .optional(),
  clockSource: z.string(),
  /** Sentences every output must repeat, e.g. that this is the embedded node. */
  statements: z.array(z.string()),
});
export type NodeReply = z.infer<typeof nodeReply>;

const counter = z.number().int().nonnegative();

/** Counters of one traffic source; every number counts from the source's own start, so only differences mean anything. */
export const counterSources = z.strictObject({
  /** The node's network interface: all bytes, headers and handshakes included. */
  nic: z.strictObject({ rxBytes: counter, txBytes: counter }).optional(),
  /** nydusd's backend counters, as its api.sock gives them (attempts, failed ones included). */
  nydusd: z
    .strictObject({
      readCount: counter,
      readErrors: counter,
      readBytes: counter,
      prefetchBytes: counter,
      prefetchCount: counter,
      /** Bytes handed to the application through the mount. */
      servedBytes: counter,
    })
    .optional(),
  /** The chunk maps in the blob cache, joined with the bootstrap's chunk table. */
  chunkMap: z
    .strictObject({
      readyChunks: counter,
      totalChunks: counter,
      readyCompressedBytes: counter,
      totalCompressedBytes: counter,
    })
    .optional(),
  /** The container runtime's own count of what a pull downloaded. */
  containerd: z.strictObject({ pulledBytes: counter, requests: counter }).optional(),
  /** Bytes the application read from its root file system, where the node can tell. */
  application: z.strictObject({ readBytes: counter, reads: counter }).optional(),
});
export type CounterSources = z.infer<typeof counterSources>;

/** `GET /v1/counters?pod=UID` */
export const countersReply = z.strictObject({ atNs: instantNs, sources: counterSources });
export type CountersReply = z.infer<typeof countersReply>;

/** `GET /v1/images/{ref}` (ref URL-encoded): everything of an image that is on the node. */
export const imageReply = z.strictObject({
  reference: z.string(),
  present: z.boolean(),
  /** Every reference under which the image is known: tag, digest, id. */
  references: z.array(z.string()),
  /** Digests of the image's blobs in the content store. */
  contentBlobs: z.array(z.string()),
  /** Snapshots (chain ids) of its layers. */
  snapshots: z.array(z.string()),
  /** Files of its data blobs in nydusd's cache. */
  blobCacheFiles: z.array(z.string()),
  /** Containers (running or dead) that use it. */
  containers: z.array(z.string()),
});
export type ImageReply = z.infer<typeof imageReply>;

/** `POST /v1/evict` */
export const evictRequest = z.strictObject({ references: z.array(z.string()).min(1).max(64) });
export type EvictRequest = z.infer<typeof evictRequest>;
export const evictReply = z.strictObject({
  /** State of each reference after the eviction: the proof of cold. */
  images: z.array(imageReply),
  durationMs: z.number().nonnegative(),
  /** What is still there and what holds it; empty when everything is gone. */
  keptBy: z.array(z.string()),
});
export type EvictReply = z.infer<typeof evictReply>;

/** `GET /v1/pods/{uid}`: how the pod's root file system is really made. */
export const podReply = z.strictObject({
  /** The line of the container's /proc/self/mountinfo whose mount point is `/`. */
  rootMount: z.string().optional(),
  snapshotter: z.string().optional(),
  lowerDirectories: z.number().int().nonnegative().optional(),
  /** nydusd instances that serve this pod's image. */
  daemons: z.array(z.strictObject({ id: z.string(), mountpoint: z.string(), imageReference: z.string() })),
  /** Which file ranges were read, in order of first access, where the node can tell. */
  accesses: z
    .array(z.strictObject({ path: z.string(), readBytes: counter, firstAtNs: instantNs.optional() }))
    .optional(),
});
export type PodReply = z.infer<typeof podReply>;

/** `POST /v1/drop-caches` */
export const dropCachesReply = z.strictObject({ dropped: z.boolean(), why: z.string().optional() });
export type DropCachesReply = z.infer<typeof dropCachesReply>;
