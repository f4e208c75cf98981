import { hostname } from 'node:os';
import type { Clock } from '../../units/clock.ts';
import type { ApiServer } from '../api/api-server.ts';
import { bindPod, withCondition } from '../api/bind-pod.ts';
import { objectsAt, textAt } from '../api/json.ts';
import { podReference } from '../api/pod-reference.ts';
import { hasEnded, readPod, type Pod } from '../api/pod.ts';
import { events, nodes, pods } from '../api/resources.ts';
import { microsecondsText } from '../api/rfc3339.ts';
import { readNode } from './cluster-node.ts';
import { findNode, type NodeUse } from './find-node.ts';
import { addAmounts, podAmounts, type ResourceAmounts } from './resource-amounts.ts';

const name = 'default-scheduler';

/** Binds pods to nodes as they appear, and again whenever a node or another pod changes. */
export function startScheduler(options: {
  readonly api: Pick<ApiServer, 'store'>;
  readonly clock: Clock;
}): Disposable {
  const { clock } = options;
  const { store } = options.api;
  let planned = false;
  let stopped = false;

  // As the events.k8s.io recorder writes them: microseconds in eventTime, no first and last timestamp.
  const record = (
    pod: Pod,
    type: 'Normal' | 'Warning',
    reason: string,
    action: string,
    message: string,
  ): void => {
    const atNs = clock.wallNs();
    store.create(events, {
      metadata: { name: `${pod.metadata.name}.${atNs.toString(16)}`, namespace: pod.metadata.namespace },
      involvedObject: podReference(pod),
      reason,
      message,
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      type,
      eventTime: microsecondsText(atNs),
      action,
      reportingComponent: name,
      reportingInstance: `${name}-${hostname()}`,
    });
  };

  const readCluster = (): { readonly uses: NodeUse[]; readonly waiting: Pod[] } => {
    const waiting: Pod[] = [];
    const taken = new Map<string, ResourceAmounts[]>();
    for (const pod of store.list(pods).map(readPod)) {
      const { nodeName } = pod.spec;
      if (hasEnded(pod)) continue;
      if (nodeName !== undefined) taken.set(nodeName, [...(taken.get(nodeName) ?? []), podAmounts(pod)]);
      else if (pod.spec.schedulerName === name && pod.metadata.deletionTimestamp === undefined)
        waiting.push(pod);
    }
    const uses = store.list(nodes).map((object) => {
      const node = readNode(object);
      return { node, used: addAmounts(taken.get(node.metadata.name) ?? []) };
    });
    // First come, first served.
    waiting.sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion));
    return { uses, waiting };
  };

  const refuse = (pod: Pod, message: string): void => {
    const stored = store.require(pods, pod.metadata);
    const condition = objectsAt(stored, 'status', 'conditions').find(
      (each) => each['type'] === 'PodScheduled',
    );
    // Said once: a retry with the same outcome is no news.
    if (textAt(condition, 'message') === message) return;
    const unscheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    store.update(pods, pod.metadata, (current) => withCondition(current, unscheduled, clock.wallNs()));
    record(pod, 'Warning', 'FailedScheduling', 'Scheduling', message);
  };

  const schedule = (): void => {
    planned = false;
    if (stopped) return;
    const { uses, waiting } = readCluster();
    for (const pod of waiting) {
      const placement = findNode(pod, uses);
      if (placement.kind === 'unschedulable') {
        refuse(pod, placement.message);
        continue;
      }
      const { nodeName } = placement;
      bindPod(store, pod.metadata, nodeName, clock.wallNs());
      const { namespace, name: podName } = pod.metadata;
      record(
        pod,
        'Normal',
        'Scheduled',
        'Binding',
        `Successfully assigned ${namespace}/${podName} to ${nodeName}`,
      );
      const at = uses.findIndex(({ node }) => node.metadata.name === nodeName);
      const use = uses[at];
      if (use !== undefined) uses[at] = { node: use.node, used: addAmounts([use.used, podAmounts(pod)]) };
    }
  };

  // Changes come in bursts; one round after the burst sees them all.
  const plan = (): void => {
    if (planned || stopped) return;
    planned = true;
    setImmediate(schedule);
  };
  const stops = [store.watch(pods, store.version, plan), store.watch(nodes, store.version, plan)];
  plan();
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      for (const stop of stops) stop();
    },
  };
}
