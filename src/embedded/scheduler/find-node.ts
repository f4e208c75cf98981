import type { Pod } from '../api/pod.ts';
import type { ClusterNode } from './cluster-node.ts';
import { matchesAffinity, preselectedNodes } from './node-affinity.ts';
import { podAmounts, readAmounts, type ResourceAmounts } from './resource-amounts.ts';

/** A node with the sum of what its pods take. */
export interface NodeUse {
  readonly node: ClusterNode;
  readonly used: ResourceAmounts;
}

/** Where a pod may run, or why nowhere, in the words of kube-scheduler 1.34. */
export type Placement =
  | { readonly kind: 'fits'; readonly nodeName: string }
  | { readonly kind: 'unschedulable'; readonly message: string };

interface Refusal {
  readonly reasons: readonly string[];
  /** Would it fit if pods left? Only then is preemption considered. */
  readonly freeable: boolean;
}

const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

const tolerates = (pod: Pod, taint: ClusterNode['spec']['taints'][number]): boolean =>
  pod.spec.tolerations.some(
    ({ key, operator, value, effect }) =>
      (effect === undefined || effect === '' || effect === taint.effect) &&
      (key === undefined || key === '' ? operator === 'Exists' : key === taint.key) &&
      (operator === 'Exists' || value === taint.value),
  );

const fixed = (reason: string): Refusal => ({ reasons: [reason], freeable: false });

// Plug-ins in the scheduler's order; the first that refuses a node speaks for it.
function refusal(pod: Pod, wanted: ResourceAmounts, { node, used }: NodeUse): Refusal | undefined {
  if (node.spec.unschedulable && !tolerates(pod, unschedulableTaint))
    return fixed('node(s) were unschedulable');
  const taint = node.spec.taints.find(
    (each) => ['NoSchedule', 'NoExecute'].includes(each.effect) && !tolerates(pod, each),
  );
  if (taint !== undefined) return fixed('node(s) had untolerated taint(s)');
  if (!matchesAffinity(pod, node)) return fixed("node(s) didn't match Pod's node affinity/selector");
  const allocatable = readAmounts(node.status.allocatable);
  const short = [...wanted].filter(
    ([name, amount]) => amount > 0n && amount > (allocatable.get(name) ?? 0n) - (used.get(name) ?? 0n),
  );
  if (short.length === 0) return undefined;
  return {
    reasons: short.map(([name]) => (name === 'pods' ? 'Too many pods' : `Insufficient ${name}`)),
    freeable: short.every(([name, amount]) => amount <= (allocatable.get(name) ?? 0n)),
  };
}

/** Share of a node's resources that would be taken, at the scarcest: the least full node wins. */
function fullness(wanted: ResourceAmounts, { node, used }: NodeUse): number {
  const shares = [...readAmounts(node.status.allocatable)]
    .filter(([, total]) => total > 0n)
    .map(([name, total]) => Number((used.get(name) ?? 0n) + (wanted.get(name) ?? 0n)) / Number(total));
  return shares.length === 0 ? 0 : Math.max(...shares);
}

const summary = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ');

function explain(refusals: readonly Refusal[]): string {
  const total = refusals.length;
  if (total === 0) return 'no nodes available to schedule pods';
  const reasons = new Map<string, number>();
  for (const each of refusals)
    for (const reason of each.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const freeable = refusals.filter((each) => each.freeable).length;
  const preemption = new Map<string, number>();
  // There are no priorities here, so nothing is ever a victim.
  if (freeable > 0) preemption.set('No preemption victims found for incoming pod', freeable);
  if (freeable < total) preemption.set('Preemption is not helpful for scheduling', total - freeable);
  const head = `0/${total} nodes are available`;
  return `${head}: ${summary(reasons)}. no new claims to deallocate, preemption: ${head}: ${summary(preemption)}.`;
}

/** Chooses the node for a pod: the least full one that no rule refuses, the first by name among equals. */
export function findNode(pod: Pod, nodes: readonly NodeUse[]): Placement {
  const wanted = podAmounts(pod);
  const preselected = preselectedNodes(pod);
  const refusals: Refusal[] = [];
  let best: { readonly nodeName: string; readonly fullness: number } | undefined;
  for (const use of [...nodes].sort((a, b) => (a.node.metadata.name < b.node.metadata.name ? -1 : 1))) {
    const nodeName = use.node.metadata.name;
    const refused =
      preselected !== undefined && !preselected.has(nodeName)
        ? fixed("node(s) didn't satisfy plugin(s) [NodeAffinity]")
        : refusal(pod, wanted, use);
    if (refused !== undefined) refusals.push(refused);
    else {
      const candidate = { nodeName, fullness: fullness(wanted, use) };
      if (best === undefined || candidate.fullness < best.fullness) best = candidate;
    }
  }
  return best === undefined
    ? { kind: 'unschedulable', message: explain(refusals) }
    : { kind: 'fits', nodeName: best.nodeName };
}
