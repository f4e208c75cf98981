import { isJsonObject, objectsAt, type JsonObject } from '../api/json.ts';
import type { KubeObject } from '../api/kube-object.ts';
import type { Pod } from '../api/pod.ts';
import { withCondition } from '../api/bind-pod.ts';
import { secondsText } from '../api/rfc3339.ts';

/** A container's ended instance. */
export interface EndedInstance {
  readonly kind: 'terminated';
  readonly containerId: string;
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAtNs: bigint;
  readonly finishedAtNs: bigint;
}

/** What a container is doing. */
export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly containerId: string; readonly startedAtNs: bigint }
  | EndedInstance;

/** A container with its past. */
export interface ContainerRecord {
  readonly state: ContainerState;
  readonly last: EndedInstance | undefined;
  readonly restartCount: number;
}

/** What the kubelet knows of a pod beside its containers. */
export interface PodFacts {
  readonly hostIp: string;
  readonly podIp: string | undefined;
  readonly startedAtNs: bigint;
}

const ended = (state: EndedInstance): JsonObject => ({
  terminated: {
    exitCode: state.exitCode,
    reason: state.reason,
    ...(state.message === undefined ? {} : { message: state.message }),
    startedAt: secondsText(state.startedAtNs),
    finishedAt: secondsText(state.finishedAtNs),
    containerID: state.containerId,
  },
});

function stateJson(state: ContainerState): JsonObject {
  switch (state.kind) {
    case 'waiting':
      return {
        waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) },
      };
    case 'running':
      return { running: { startedAt: secondsText(state.startedAtNs) } };
    case 'terminated':
      return ended(state);
  }
}

/** pkg/kubelet, getPhase: Pending until every container has started once; then by how the instances ended. */
export function podPhase(
  policy: Pod['spec']['restartPolicy'],
  records: readonly ContainerRecord[],
): 'Pending' | 'Running' | 'Succeeded' | 'Failed' {
  const neverStarted = records.some(({ state, last }) => state.kind === 'waiting' && last === undefined);
  if (neverStarted) return 'Pending';
  if (records.some(({ state }) => state.kind !== 'terminated') || policy === 'Always') return 'Running';
  const allSucceeded = records.every(({ state }) => state.kind === 'terminated' && state.exitCode === 0);
  if (allSucceeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function containerStatus(name: string, image: string, record: ContainerRecord): JsonObject {
  const { state, last, restartCount } = record;
  const running = state.kind === 'running';
  const containerId = state.kind === 'waiting' ? last?.containerId : state.containerId;
  return {
    name,
    state: stateJson(state),
    lastState: last === undefined || state === last ? {} : ended(last),
    ready: running,
    restartCount,
    image,
    imageID: state.kind === 'waiting' && last === undefined ? '' : image,
    ...(containerId === undefined ? {} : { containerID: containerId }),
    started: running,
  };
}

/** The stored pod with the status that follows from what its containers do. */
export function withPodStatus(
  stored: KubeObject,
  pod: Pod,
  facts: PodFacts,
  records: ReadonlyMap<string, ContainerRecord>,
  nowNs: bigint,
): KubeObject {
  const { containers, restartPolicy } = pod.spec;
  const all = containers.flatMap(({ name }) => records.get(name) ?? []);
  const phase = podPhase(restartPolicy, all);
  const unready = containers
    .filter(({ name }) => records.get(name)?.state.kind !== 'running')
    .map(({ name }) => name);
  const hasEnded = phase === 'Succeeded' || phase === 'Failed';
  const notReady: JsonObject =
    phase === 'Succeeded'
      ? { reason: 'PodCompleted' }
      : phase === 'Failed'
        ? { reason: 'PodFailed' }
        : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const ready: JsonObject = unready.length === 0 ? { status: 'True' } : { status: 'False', ...notReady };
  const conditions: readonly JsonObject[] = [
    {
      type: 'PodReadyToStartContainers',
      status: facts.podIp !== undefined && !hasEnded ? 'True' : 'False',
    },
    { type: 'Initialized', status: 'True', ...(phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}) },
    { type: 'Ready', ...ready },
    { type: 'ContainersReady', ...ready },
    // A pod that came with spec.nodeName was scheduled by whoever wrote that.
    { type: 'PodScheduled', status: 'True' },
  ];
  // The kubelet writes its conditions in its own order, but keeps what they had.
  const before = objectsAt(stored, 'status', 'conditions');
  const order = conditions.flatMap((each) => before.filter((old) => old['type'] === each['type']));
  const status = isJsonObject(stored['status']) ? stored['status'] : {};
  const base: KubeObject = {
    ...stored,
    status: {
      ...status,
      conditions: order,
      phase,
      hostIP: facts.hostIp,
      hostIPs: [{ ip: facts.hostIp }],
      ...(facts.podIp === undefined ? {} : { podIP: facts.podIp, podIPs: [{ ip: facts.podIp }] }),
      startTime: secondsText(facts.startedAtNs),
      containerStatuses: containers.flatMap(({ name, image }) => {
        const record = records.get(name);
        return record === undefined ? [] : [containerStatus(name, image, record)];
      }),
    },
  };
  return conditions.reduce<KubeObject>((object, each) => withCondition(object, each, nowNs), base);
}
