/** What a kubelet asks of its node's container runtime: the CRI, cut down to what lazybench's pods need. */
export interface ContainerRuntime {
  /** CRI ImageStatus: is the reference in the image store (whatever snapshotter it was pulled for)? */
  hasImage(reference: string): Promise<boolean>;
  /**
   * CRI PullImage. Resolves with the manifest-declared compressed size, as containerd reports it. Rejects with a
   * HarnessError whose message is what containerd would say.
   */
  pullImage(reference: string, runtimeHandler: string, signal: AbortSignal): Promise<{ sizeBytes: number }>;
  /** CRI CreateContainer: prepares the root file system (mounts, in the Nydus case). */
  createContainer(spec: ContainerSpec, signal: AbortSignal): Promise<Container>;
}

export interface ContainerSpec {
  readonly podUid: string;
  readonly podName: string;
  readonly namespace: string;
  readonly containerName: string;
  readonly image: string;
  readonly runtimeHandler: string;
  readonly command: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** How a container's process ended. */
export interface ContainerExit {
  readonly exitCode: number;
  readonly reason: 'Completed' | 'Error' | 'OOMKilled';
}

/** A created container; `remove` stops it first when it still runs. */
export interface Container {
  readonly id: string;
  /** Starts the process. `onLine` gets each line it prints, when it prints it. */
  start(onLine: (line: string) => void): Promise<void>;
  /** Settles when the process has ended by itself or was stopped. */
  readonly exited: Promise<ContainerExit>;
  remove(): Promise<void>;
}
