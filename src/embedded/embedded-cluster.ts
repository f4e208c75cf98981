import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { convertImage, type ConvertedImage, type ConvertImageOptions } from '../image/convert.ts';
import { copyImage } from '../image/copy-image.ts';
import { parseImageReference } from '../image/image-reference.ts';
import type { ImageSource } from '../image/image-source.ts';
import { layerEntries } from '../image/layer-entries.ts';
import type { Meter } from '../registry/meter.ts';
import { openImageSource } from '../registry/open-image-source.ts';
import { startRegistryServer, type RegistryServer } from '../registry/server/registry-server.ts';
import type { Link } from '../scenario/scenario.ts';
import type { Clock } from '../units/clock.ts';
import { systemClock } from '../units/system-clock.ts';
import { createAgentHandler } from './agent/agent-handler.ts';
import { agentNamespace, agentPod, agentPodName, agentSetup } from './agent/agent-objects.ts';
import { withAgent } from './agent/agent-runtime.ts';
import { startApiServer, type ApiServer } from './api/api-server.ts';
import { textAt } from './api/json.ts';
import { pods } from './api/resources.ts';
import { createObjects } from './cluster-objects.ts';
import { describeNode, type EmbeddedNodeOptions } from './embedded-node-options.ts';
import { nydusHandler } from './engine/node-image.ts';
import { startNodeNetwork } from './engine/node-network.ts';
import { NodeRuntime, type ImageBehaviour } from './engine/node-runtime.ts';
import { defaultAmplifyBytes } from './engine/nydus-mount.ts';
import { startKubelet } from './kubelet/kubelet.ts';
import { unshapedLink } from './link/shaped-link.ts';
import { OwnedResources } from './owned-resources.ts';
import { startScheduler } from './scheduler/scheduler.ts';

/** What an embedded cluster is made of. */
export interface EmbeddedClusterOptions {
  readonly nodes: readonly EmbeddedNodeOptions[];
  /** Every node's link to the registry; undefined: as fast as loopback. */
  readonly link?: Link | undefined;
  /** Where a temporary directory is made for registry and nodes; it goes when the cluster is disposed. */
  readonly directory: string;
  /** Version of lazybench, which the nodes report. */
  readonly version: string;
  readonly clock?: Clock;
  /** nydusd's `amplify_io` in bytes; default 1 MiB. */
  readonly amplifyBytes?: number;
  /** Gives up starting. A started cluster is stopped by disposing it. */
  readonly signal?: AbortSignal;
  /** Told of bugs inside kubelets (a pod's own failures are events); by default disposing rejects with the first. */
  readonly onError?: (error: unknown) => void;
}

/** An image that is in the cluster's registry. */
export interface StagedImage {
  /** As pods name it: `host:port/name:tag`. */
  readonly reference: string;
  readonly digest: string;
}

/** A running embedded cluster. */
export interface EmbeddedCluster extends AsyncDisposable {
  /** Kubeconfig (YAML) with one context, `embedded`. */
  readonly kubeconfig: string;
  readonly apiUrl: string;
  readonly registryAddress: string;
  /** Counts every request that reaches the registry. */
  readonly meter: Meter;
  /** Puts an image into the registry under `name` (`acme/app:1`), past every link and counter. */
  stageImage(source: ImageSource, name: string, signal?: AbortSignal): Promise<StagedImage>;
  /** Converts a plain image and puts the result into the registry under `name`. */
  convertAndStage(
    source: ImageSource,
    name: string,
    options?: Pick<
      ConvertImageOptions,
      'chunkSizeBytes' | 'compressor' | 'prefetch' | 'signal' | 'onProgress'
    >,
  ): Promise<StagedImage & { readonly converted: ConvertedImage }>;
  /** Says what containers of an image do, and what is prefetched for them. Before the first pod that uses it. */
  registerArm(arm: ImageBehaviour & { readonly reference: string }): void;
}

/**
 * Starts a Kubernetes cluster inside this process: API server, scheduler, a registry, and nodes that really pull,
 * unpack, mount and read over a shaped link of their own. Disposing it stops everything and removes its directory.
 */
export async function startEmbeddedCluster(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
  const { clock = systemClock, signal = new AbortController().signal } = options;
  const owned = new OwnedResources();
  const bugs: unknown[] = [];
  owned.defer(() =>
    bugs.length > 0 ? Promise.reject(new Error('a kubelet failed', { cause: bugs[0] })) : Promise.resolve(),
  );
  const onError = options.onError ?? ((error: unknown): void => void bugs.push(error));
  try {
    const directory = await fs.mkdtemp(path.join(options.directory, 'lazybench-embedded-'));
    owned.defer(() => fs.rm(directory, { recursive: true, force: true }));
    const workDirectory = path.join(directory, 'convert');
    await fs.mkdir(workDirectory);
    const registry = owned.use(
      await startRegistryServer({ directory: path.join(directory, 'registry'), clock }),
    );
    const api = owned.use(await startApiServer({ clock }));
    const token = randomBytes(32).toString('hex');
    await createObjects(api.url, [...agentSetup(token), runtimeClass], signal);

    const behaviours = new Map<string, ImageBehaviour>();
    for (const [index, node] of options.nodes.entries()) {
      signal.throwIfAborted();
      await startNode(owned, {
        options,
        node,
        index,
        directory,
        registry,
        api,
        token,
        clock,
        behaviours,
        onError,
      });
    }
    const scheduler = startScheduler({ api, clock });
    owned.defer(() => {
      scheduler[Symbol.dispose]();
      return Promise.resolve();
    });
    const agents = options.nodes.map(({ name }) => name);
    await createObjects(api.url, agents.map(agentPod), signal);
    await agentsRunning(api, agents, signal);

    const sinkOf = (name: string): { reference: string; sink: ReturnType<RegistryServer['sink']> } => {
      const reference = `${registry.address}/${name}`;
      const { repository, tag = 'latest' } = parseImageReference(reference);
      return { reference, sink: registry.sink(repository, tag) };
    };
    return {
      kubeconfig: kubeconfigFor(api.url),
      apiUrl: api.url,
      registryAddress: registry.address,
      meter: registry.meter,
      stageImage: async (source, name, stageSignal) => {
        const { reference, sink } = sinkOf(name);
        const { digest } = await copyImage(
          source,
          sink,
          stageSignal === undefined ? {} : { signal: stageSignal },
        );
        return { reference, digest };
      },
      convertAndStage: async (source, name, convertOptions = {}) => {
        const { reference, sink } = sinkOf(name);
        const converted = await convertImage({
          ...convertOptions,
          source,
          sink,
          layerEntries,
          workDirectory,
          builderVersion: `lazybench ${options.version}`,
        });
        return { reference, digest: converted.digest, converted };
      },
      registerArm: ({ reference, workload, prefetch }) => {
        behaviours.set(reference, { workload, prefetch });
      },
      [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
    };
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts one node: its link, its runtime, its agent, its kubelet. */
async function startNode(
  owned: OwnedResources,
  context: {
    readonly options: EmbeddedClusterOptions;
    readonly node: EmbeddedNodeOptions;
    readonly index: number;
    readonly directory: string;
    readonly registry: RegistryServer;
    readonly api: ApiServer;
    readonly token: string;
    readonly clock: Clock;
    readonly behaviours: ReadonlyMap<string, ImageBehaviour>;
    readonly onError: (error: unknown) => void;
  },
): Promise<void> {
  const { options, node, registry, api, token, clock, behaviours, onError } = context;
  const { version, amplifyBytes = defaultAmplifyBytes } = options;
  const { hostname: host, port } = new URL(`http://${registry.address}`);
  const network = owned.use(
    await startNodeNetwork({
      link: options.link ?? unshapedLink,
      target: { host, port: Number(port) },
      clock,
    }),
  );
  const runtime = owned.use(
    await NodeRuntime.start({
      directory: path.join(context.directory, 'nodes', node.name),
      clock,
      dispatcher: network.dispatcher,
      openSource: (reference) =>
        openImageSource(reference, {
          dispatcher: network.dispatcher,
          plainHttp: true,
          credentials: () => Promise.resolve(undefined),
          clock,
        }),
      behaviourOf: (reference) => behaviours.get(reference),
      amplifyBytes,
    }),
  );
  const agent = { name: node.name, runtime, linkCounters: () => network.counters(), amplifyBytes };
  api.registerPodProxy(
    agentNamespace,
    agentPodName(node.name),
    createAgentHandler({ node: agent, token, version, clock }),
  );
  owned.use(
    startKubelet({
      api,
      node: describeNode(node, context.index, version),
      runtime: withAgent(runtime),
      clock,
      onError,
    }),
  );
}

/** What docs/ tells people to create for the nydus snapshotter. */
const runtimeClass = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'nydus' },
  handler: nydusHandler,
};

/** Settles when every agent's pod has its address, so that the proxy reaches it. */
async function agentsRunning(
  api: ApiServer,
  nodeNames: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const areRunning = (): boolean =>
    nodeNames.every((nodeName) => {
      const pod = api.store.get(pods, { namespace: agentNamespace, name: agentPodName(nodeName) });
      return textAt(pod, 'status', 'phase') === 'Running';
    });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const check = (): void => {
    if (areRunning()) resolve(undefined);
  };
  const onAbort = (): void =>
    reject(new DOMException('starting the embedded cluster was stopped', 'AbortError'));
  const stop = api.store.watch(pods, api.store.version, check);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    check();
    await promise;
  } finally {
    stop();
    signal.removeEventListener('abort', onAbort);
  }
}

/** client-node refuses plain HTTP unless TLS checks are off; kubectl does not mind. */
const kubeconfigFor = (server: string): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'embedded',
    clusters: [{ name: 'embedded', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'embedded', user: {} }],
    contexts: [
      { name: 'embedded', context: { cluster: 'embedded', user: 'embedded', namespace: 'default' } },
    ],
  });
