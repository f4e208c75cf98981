import { isJsonObject, jsonAt, objectsAt, textAt, type JsonObject } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import { since, type Column } from './table-column.ts';

const statuses = (pod: KubeObject): readonly JsonObject[] => objectsAt(pod, 'status', 'containerStatuses');

// pkg/printers/internalversion, printPod: the last container that has something to say wins.
function podStatus(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  let reason = textAt(pod, 'status', 'reason') ?? textAt(pod, 'status', 'phase') ?? '';
  let hasRunning = false;
  for (const status of [...statuses(pod)].reverse()) {
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    const terminated = jsonAt(status, 'state', 'terminated');
    if (waiting !== undefined) reason = waiting;
    else if (isJsonObject(terminated))
      reason = textAt(terminated, 'reason') ?? `ExitCode:${JSON.stringify(terminated['exitCode'] ?? 0)}`;
    else if (status['ready'] === true) hasRunning = true;
  }
  if (reason === 'Completed' && hasRunning) return 'Running';
  return reason;
}

function restarts(pod: KubeObject, nowNs: bigint): string {
  let count = 0;
  let last: string | undefined;
  for (const status of statuses(pod)) {
    count += typeof status['restartCount'] === 'number' ? status['restartCount'] : 0;
    const finished = textAt(status, 'lastState', 'terminated', 'finishedAt');
    if (finished !== undefined && (last === undefined || finished > last)) last = finished;
  }
  return count === 0 || last === undefined ? String(count) : `${count} (${since(last, nowNs)} ago)`;
}

const orNone = (name: string, ...path: readonly string[]): Column => ({
  name,
  wide: true,
  cell: (pod) => textAt(pod, ...path) ?? '<none>',
});

/** Columns of `kubectl get pods`. */
export const podColumns = (name: Column, age: Column): readonly Column[] => [
  name,
  {
    name: 'Ready',
    cell: (pod) => {
      const ready = statuses(pod).filter((each) => each['ready'] === true).length;
      return `${ready}/${objectsAt(pod, 'spec', 'containers').length}`;
    },
  },
  { name: 'Status', cell: podStatus },
  { name: 'Restarts', cell: restarts },
  age,
  orNone('IP', 'status', 'podIP'),
  orNone('Node', 'spec', 'nodeName'),
  orNone('Nominated Node', 'status', 'nominatedNodeName'),
  { name: 'Readiness Gates', wide: true, cell: () => '<none>' },
];
