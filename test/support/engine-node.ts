import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { startNodeNetwork } from '../../src/embedded/engine/node-network.ts';
import { NodeRuntime, type ImageBehaviour } from '../../src/embedded/engine/node-runtime.ts';
import type { ContainerSpec } from '../../src/embedded/container-runtime.ts';
import { unshapedLink, type LinkCounters } from '../../src/embedded/link/shaped-link.ts';
import { OwnedResources } from '../../src/embedded/owned-resources.ts';
import { convertImage } from '../../src/image/convert.ts';
import { copyImage } from '../../src/image/copy-image.ts';
import type { AccessTrace, TraceStep } from '../../src/image/access-trace.ts';
import type { ImageSource } from '../../src/image/image-source.ts';
import { layerEntries } from '../../src/image/layer-entries.ts';
import { openImageSource } from '../../src/registry/open-image-source.ts';
import { startRegistryServer, type RegistryServer } from '../../src/registry/server/registry-server.ts';
import type { Link } from '../../src/scenario/scenario.ts';
import { systemClock } from '../../src/units/system-clock.ts';
import { scratchDirectory } from './scratch-directory.ts';

/** A registry and one node's runtime, without Kubernetes around it. */
export interface EngineNode extends AsyncDisposable {
  readonly registry: RegistryServer;
  readonly registryDirectory: string;
  readonly nodeDirectory: string;
  readonly runtime: NodeRuntime;
  readonly behaviours: Map<string, ImageBehaviour>;
  linkCounters(): LinkCounters;
  /** Puts a plain image into the registry; its reference. */
  stage(source: ImageSource, name: string): Promise<string>;
  /** The same, converted. */
  stageNydus(source: ImageSource, name: string): Promise<string>;
}

/** Starts them; `nodeDirectory` replaces the node's disk. */
export async function startEngineNode(
  options: { readonly link?: Link; readonly nodeDirectory?: string; readonly amplifyBytes?: number } = {},
): Promise<EngineNode> {
  const owned = new OwnedResources();
  const scratch = owned.use(await scratchDirectory());
  const registryDirectory = path.join(scratch.path, 'registry');
  const nodeDirectory = options.nodeDirectory ?? path.join(scratch.path, 'node');
  const workDirectory = path.join(scratch.path, 'work');
  await mkdir(workDirectory);
  const registry = owned.use(await startRegistryServer({ directory: registryDirectory }));
  const { hostname: host, port } = new URL(`http://${registry.address}`);
  const network = owned.use(
    await startNodeNetwork({
      link: options.link ?? unshapedLink,
      target: { host, port: Number(port) },
      clock: systemClock,
    }),
  );
  const behaviours = new Map<string, ImageBehaviour>();
  const runtime = owned.use(
    await NodeRuntime.start({
      directory: nodeDirectory,
      clock: systemClock,
      dispatcher: network.dispatcher,
      openSource: (reference) =>
        openImageSource(reference, {
          dispatcher: network.dispatcher,
          plainHttp: true,
          credentials: () => Promise.resolve(undefined),
        }),
      behaviourOf: (reference) => behaviours.get(reference),
      ...(options.amplifyBytes === undefined ? {} : { amplifyBytes: options.amplifyBytes }),
    }),
  );
  return {
    registry,
    registryDirectory,
    nodeDirectory,
    runtime,
    behaviours,
    linkCounters: () => network.counters(),
    stage: async (source, name) => {
      await copyImage(source, registry.sink(name, '1'));
      return `${registry.address}/${name}:1`;
    },
    stageNydus: async (source, name) => {
      const sink = registry.sink(name, 'nydus');
      await convertImage({ source, sink, layerEntries, workDirectory, builderVersion: 'test' });
      return `${registry.address}/${name}:nydus`;
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** A trace of these steps. */
export const traceOf = (steps: readonly TraceStep[]): AccessTrace => ({
  header: {
    kind: 'lazybench-trace',
    version: 1,
    command: ['/app'],
    recordedWith: 'a test',
    recordedOn: 'a test',
  },
  steps,
});

/** A container of an image. */
export const containerSpec = (image: string, runtimeHandler = ''): ContainerSpec => ({
  podUid: `uid-of-${image}`,
  podName: 'pod',
  namespace: 'default',
  containerName: 'main',
  image,
  runtimeHandler,
  command: [],
  environment: new Map(),
});
