import type { Clock } from '../../units/clock.ts';
import type { ApiServer } from '../api/api-server.ts';
import { withCondition } from '../api/bind-pod.ts';
import { textAt } from '../api/json.ts';
import type { KubeObject } from '../api/kube-object.ts';
import { readPod } from '../api/pod.ts';
import { nodes, pods } from '../api/resources.ts';
import type { ContainerRuntime } from '../container-runtime.ts';
import { EventRecorder } from './event-recorder.ts';
import { nodeObject, type NodeDescription } from './node-object.ts';
import { PodAddresses } from './pod-addresses.ts';
import { PodWorker, type PodWorkerContext } from './pod-worker.ts';

/** A running kubelet; disposing it stops its pods' containers and lets its node become NotReady. */
export interface Kubelet extends AsyncDisposable {
  readonly nodeName: string;
}

/** How to start one. */
export interface KubeletOptions {
  readonly api: Pick<ApiServer, 'store' | 'logs'>;
  readonly node: NodeDescription;
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  /** Called with what went wrong inside; a pod's own failures are events, not errors. */
  readonly onError: (error: unknown) => void;
}

/** Registers a node and runs the pods that are bound to it. */
export function startKubelet(options: KubeletOptions): Kubelet {
  const { node, runtime, clock, onError } = options;
  const { store, logs } = options.api;
  const nodeKey = { namespace: undefined, name: node.name };
  const registered = nodeObject(node, clock.wallNs());
  if (store.get(nodes, nodeKey) === undefined) store.create(nodes, registered);
  else store.update(nodes, nodeKey, (stored) => ({ ...stored, status: registered['status'] }));
  const context: PodWorkerContext = {
    store,
    logs,
    runtime,
    clock,
    recorder: new EventRecorder({ store, clock, nodeName: node.name }),
    addresses: new PodAddresses(node.podCidr),
    hostIp: node.internalIp,
    runtimeHandlers: new Set(['', ...(node.runtimeHandlers ?? [])]),
  };
  const workers = new Map<string, PodWorker>();
  const ending = new Map<string, Promise<void>>();

  const end = (uid: string): void => {
    const worker = workers.get(uid);
    if (worker === undefined || ending.has(uid)) return;
    const done = worker
      .terminate()
      .catch(onError)
      .finally(() => {
        workers.delete(uid);
        ending.delete(uid);
      });
    ending.set(uid, done);
  };
  const see = (object: KubeObject, deleted: boolean): void => {
    if (textAt(object, 'spec', 'nodeName') !== node.name) return;
    const { uid, deletionTimestamp } = object.metadata;
    if (!deleted && !workers.has(uid)) workers.set(uid, new PodWorker(context, readPod(object), onError));
    if (deleted || deletionTimestamp !== undefined) end(uid);
  };
  const stop = store.watch(pods, store.version, (change) => {
    see(change.object, change.kind === 'deleted');
  });
  for (const object of store.list(pods)) see(object, false);
  return {
    nodeName: node.name,
    [Symbol.asyncDispose]: async () => {
      stop();
      for (const uid of workers.keys()) end(uid);
      await Promise.all(ending.values());
      if (store.get(nodes, nodeKey) === undefined) return;
      const unknown = {
        type: 'Ready',
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      };
      store.update(nodes, nodeKey, (stored) => withCondition(stored, unknown, clock.wallNs()));
    },
  };
}
