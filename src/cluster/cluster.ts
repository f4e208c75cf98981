import type { NodeFacts } from '../scenario/node-facts.ts';
import type { EventObject, PodObject } from './api-objects.ts';
import type { WatchSink } from './watch-resource.ts';

/** What a pod's own HTTP server answered through the API server. */
export interface ProxyAnswer {
  readonly status: number;
  readonly text: string;
}

/** A request to a pod through the API server's pod proxy. */
export interface ProxyRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  readonly method: 'GET' | 'POST';
  /** With query; sent as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One Kubernetes cluster as a run needs it: the only way to it, whichever lane it is in. Rejections are
 * CLUSTER_UNREACHABLE, CLUSTER_FORBIDDEN (naming verb and resource) or CLUSTER_REFUSED.
 */
export interface Cluster extends AsyncDisposable {
  readonly server: string;
  readonly context: string;
  readonly namespace: string;
  version(signal?: AbortSignal): Promise<string>;
  nodes(signal?: AbortSignal): Promise<readonly NodeFacts[]>;
  createPod(manifest: object, signal?: AbortSignal): Promise<PodObject>;
  /** Deletes at once (no grace) and waits until the API no longer has the pod; a pod already gone is fine. */
  deletePod(name: string, signal?: AbortSignal): Promise<void>;
  /** Pods with these labels, in one namespace or (undefined) in all. */
  listPods(
    query: { readonly namespace: string | undefined; readonly labelSelector: string },
    signal?: AbortSignal,
  ): Promise<readonly PodObject[]>;
  /** Watches one pod by name, from before it exists if need be. Runs until `signal` aborts. */
  watchPod(name: string, sink: WatchSink, signal: AbortSignal): Promise<void>;
  /** Watches the events about one pod name. Runs until `signal` aborts. */
  watchEvents(podName: string, sink: WatchSink, signal: AbortSignal): Promise<void>;
  /** All events about a pod, by its uid: the reconciling list at a trial's end. */
  listEvents(podUid: string, signal?: AbortSignal): Promise<readonly EventObject[]>;
  followLog(options: {
    readonly pod: string;
    readonly container: string;
    readonly signal: AbortSignal;
    readonly onLine: (line: { readonly atNs: bigint; readonly line: string }, arrivedNs: bigint) => void;
    readonly isRunning: () => boolean;
  }): Promise<void>;
  proxyPod(request: ProxyRequest): Promise<ProxyAnswer>;
  /** Decoded values of a Secret; undefined when there is no such Secret. */
  readSecret(
    namespace: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, string>> | undefined>;
}
