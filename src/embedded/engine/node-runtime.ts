import fs from 'node:fs/promises';
import path from 'node:path';
import type { Dispatcher } from 'undici';
import { HarnessError } from '../../errors/harness-error.ts';
import { parseImageReference } from '../../image/image-reference.ts';
import type { ImageSource } from '../../image/image-source.ts';
import { imageConfig } from '../../image/manifest.ts';
import { parseBootstrap } from '../../image/rafs/bootstrap.ts';
import type { Clock } from '../../units/clock.ts';
import type { Container, ContainerRuntime, ContainerSpec } from '../container-runtime.ts';
import { BlobCaches } from './blob-caches.ts';
import { inContext } from './containerd-error.ts';
import { ContentStore } from './content-store.ts';
import { snapshotterOf, type NodeImage } from './node-image.ts';
import { defaultAmplifyBytes, NydusMount } from './nydus-mount.ts';
import type { NodePrefetch } from './prefetch.ts';
import { fetchAndUnpack, PullCounters, pullImage, type PullTarget } from './pull-image.ts';
import { RegistryBackend } from './registry-backend.ts';
import { ReplayContainer } from './replay-container.ts';
import type { Workload } from './replay.ts';
import type { RootFilesystem } from './root-filesystem.ts';
import { Snapshots } from './snapshots.ts';
import { UnpackedRoot } from './unpacked-root.ts';

/** How the containers of an image behave on this node. */
export interface ImageBehaviour {
  readonly workload: Workload;
  readonly prefetch: NodePrefetch;
}

/** What a node's runtime needs from outside. */
export interface NodeRuntimeOptions {
  /** The node's disk: content store, snapshots and blob cache live below it. */
  readonly directory: string;
  readonly clock: Clock;
  /** Every byte between node and registry goes through it. */
  readonly dispatcher: Dispatcher;
  /** Opens an image in the registry, over `dispatcher`. */
  readonly openSource: (reference: string) => Promise<ImageSource>;
  /** What was registered for a reference; undefined: a program that reads nothing and says nothing. */
  readonly behaviourOf: (reference: string) => ImageBehaviour | undefined;
  /** Compressed bytes that a read on demand is widened to. */
  readonly amplifyBytes?: number;
}

/** `image.boot` inside the unpacked bootstrap layer; very old images have it at the root. */
const bootstrapPaths = ['image/image.boot', 'image.boot'];

/**
 * The container runtime of an embedded node: containerd with two snapshotters, cut down to what pods of a benchmark
 * need. It really pulls, verifies, unpacks, mounts and reads; only the program itself is a replay.
 */
export class NodeRuntime implements ContainerRuntime, AsyncDisposable {
  readonly content: ContentStore;
  readonly snapshots: Snapshots;
  readonly caches: BlobCaches;
  readonly pulls = new PullCounters();
  /** The image store: images by id. */
  readonly images = new Map<string, NodeImage>();
  /** Every image that was ever pulled, by reference: what a removed image could have left is looked up here. */
  readonly pulled = new Map<string, NodeImage>();
  readonly containers = new Map<string, ReplayContainer>();
  /** Mounts by the chain id of the image: they outlive containers, as nydusd does, until the image is removed. */
  readonly mounts = new Map<string, Promise<NydusMount>>();
  readonly #options: NodeRuntimeOptions;

  private constructor(options: NodeRuntimeOptions) {
    this.#options = options;
    this.content = new ContentStore(path.join(options.directory, 'content'));
    this.snapshots = new Snapshots(path.join(options.directory, 'snapshotters'));
    this.caches = new BlobCaches(path.join(options.directory, 'cache'));
  }

  /** Prepares the node's directories. */
  static async start(options: NodeRuntimeOptions): Promise<NodeRuntime> {
    const runtime = new NodeRuntime(options);
    await runtime.content.open();
    await fs.mkdir(path.join(options.directory, 'cache'), { recursive: true });
    return runtime;
  }

  /** The image that a reference (tag, digest or id) names on this node. */
  imageOf(reference: string): NodeImage | undefined {
    for (const image of this.images.values()) if (image.references.has(reference)) return image;
    return undefined;
  }

  hasImage(reference: string): Promise<boolean> {
    return Promise.resolve(this.imageOf(reference) !== undefined);
  }

  async pullImage(
    reference: string,
    runtimeHandler: string,
    signal: AbortSignal,
  ): Promise<{ sizeBytes: number }> {
    await using source = await this.#options.openSource(reference);
    const snapshotter = snapshotterOf(runtimeHandler);
    const image = await pullImage({ reference, snapshotter, source, target: this.#target, signal });
    const known = this.images.get(image.id) ?? image;
    for (const each of image.references) known.references.add(each);
    this.images.set(image.id, known);
    for (const each of known.references) this.pulled.set(each, known);
    return { sizeBytes: image.declaredBytes };
  }

  async createContainer(spec: ContainerSpec, signal: AbortSignal): Promise<Container> {
    const image = this.imageOf(spec.image);
    if (image === undefined) {
      throw new HarnessError('IMAGE_NOT_FOUND', `failed to get image "${spec.image}": not found`);
    }
    const { behaviourOf } = this.#options;
    // Registered under the tag, run by digest: the image store knows that both are one.
    const known = [spec.image, ...image.references].find((each) => behaviourOf(each) !== undefined);
    const behaviour = known === undefined ? undefined : behaviourOf(known);
    const root = await this.#prepareRoot(image, spec, behaviour?.prefetch ?? { kind: 'off' }, signal);
    const container = new ReplayContainer({
      spec,
      root,
      workload: behaviour?.workload ?? emptyTrace,
      clock: this.#options.clock,
      onRemoved: ({ id }) => this.containers.delete(id),
    });
    this.containers.set(container.id, container);
    return container;
  }

  /** Stops all containers and mounts. The directory stays: whoever made it removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of [...this.containers.values()]) await container.remove();
    for (const key of [...this.mounts.keys()]) await this.unmount(key);
  }

  /** Ends the mount of an image. */
  async unmount(chainId: string): Promise<void> {
    const mount = this.mounts.get(chainId);
    this.mounts.delete(chainId);
    await (await mount?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  get #target(): PullTarget {
    return { content: this.content, snapshots: this.snapshots, counters: this.pulls };
  }

  async #prepareRoot(
    image: NodeImage,
    spec: ContainerSpec,
    prefetch: NodePrefetch,
    signal: AbortSignal,
  ): Promise<RootFilesystem> {
    const snapshotter = snapshotterOf(spec.runtimeHandler);
    const top = image.chain.at(-1) ?? '';
    if (!(await this.snapshots.has(snapshotter, top))) await this.#unpackAgain(image, spec, signal);
    const directory = this.snapshots.pathOf(snapshotter, top);
    if (snapshotter === 'overlayfs' || !image.isNydus) return new UnpackedRoot(directory, snapshotter);
    return (await this.#mount(image, top, directory, spec.image, prefetch)).root();
  }

  /**
   * The image store is not per snapshotter: an image pulled for another handler counts as present, kubelet does not
   * pull it again, and containerd unpacks it now from what the content store has.
   */
  async #unpackAgain(image: NodeImage, spec: ContainerSpec, signal: AbortSignal): Promise<void> {
    try {
      const config = imageConfig.parse(JSON.parse((await this.content.readWhole(image.id)).toString()));
      await fetchAndUnpack(image, {
        diffIds: config.rootfs.diff_ids,
        snapshotter: snapshotterOf(spec.runtimeHandler),
        source: contentOnly(spec.image),
        target: this.#target,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw inContext('failed to create containerd container: error unpacking image', error);
    }
  }

  async #mount(
    image: NodeImage,
    chainId: string,
    directory: string,
    reference: string,
    prefetch: NodePrefetch,
  ): Promise<NydusMount> {
    const mounted = this.mounts.get(chainId);
    if (mounted !== undefined) return mounted;
    const mounting = this.#mountNow(chainId, directory, reference, prefetch);
    this.mounts.set(chainId, mounting);
    try {
      return await mounting;
    } catch (error) {
      this.mounts.delete(chainId);
      throw inContext(`failed to mount rafs of image ${image.manifestDigest}`, error);
    }
  }

  async #mountNow(
    chainId: string,
    directory: string,
    reference: string,
    prefetch: NodePrefetch,
  ): Promise<NydusMount> {
    const { registry, repository } = parseImageReference(reference);
    const backend = new RegistryBackend({
      dispatcher: this.#options.dispatcher,
      origin: `http://${registry}`,
      repository,
    });
    return NydusMount.mount({
      id: chainId.slice('sha256:'.length, 'sha256:'.length + 12),
      bootstrap: parseBootstrap(await readBootstrap(directory)),
      backend,
      caches: this.caches,
      prefetch,
      amplifyBytes: this.#options.amplifyBytes ?? defaultAmplifyBytes,
    });
  }
}

const emptyTrace: Workload = {
  header: {
    kind: 'lazybench-trace',
    version: 1,
    command: [],
    recordedWith: 'nothing',
    recordedOn: 'nothing',
  },
  steps: [],
};

async function readBootstrap(directory: string): Promise<Buffer> {
  for (const inside of bootstrapPaths) {
    const bytes = await fs.readFile(path.join(directory, inside)).catch(() => undefined);
    if (bytes !== undefined) return bytes;
  }
  throw new HarnessError('BOOTSTRAP_INVALID', 'the bootstrap layer has no image/image.boot');
}

/** A source that has nothing: for unpacking what the content store must already have. */
function contentOnly(reference: string): ImageSource {
  return {
    reference,
    resolve: () => Promise.reject(new Error('not resolved again')),
    readBlob: ({ digest }) => ({
      [Symbol.asyncIterator]: () => ({
        next: () =>
          Promise.reject(new HarnessError('IMAGE_NOT_FOUND', `content digest ${digest}: not found`)),
      }),
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
