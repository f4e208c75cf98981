import type { NodeFacts } from './node-facts.ts';
import type { EligibilityRule, Scenario } from './scenario.ts';

/** Whether a node is used, and why (one line). */
export interface NodeChoice {
  readonly node: NodeFacts;
  readonly chosen: boolean;
  readonly why: string;
}

/**
 * Picks the nodes of a run: the first `count` eligible ones by name, so that the same cluster gives the same nodes.
 * Every node is in the result, chosen or not, with the reason.
 */
export function chooseNodes(
  nodes: readonly NodeFacts[],
  wanted: Pick<Scenario['nodes'], 'selector' | 'eligibility' | 'count'>,
  gpusPerPod: number,
): readonly NodeChoice[] {
  let taken = 0;
  return nodes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((node) => {
      const refusal = refuse(node, wanted, gpusPerPod);
      if (refusal !== undefined) return { node, chosen: false, why: refusal };
      if (taken >= wanted.count)
        return { node, chosen: false, why: `eligible, but nodes.count is ${wanted.count}` };
      taken += 1;
      return { node, chosen: true, why: 'eligible' };
    });
}

function refuse(
  node: NodeFacts,
  wanted: Pick<Scenario['nodes'], 'selector' | 'eligibility'>,
  gpusPerPod: number,
): string | undefined {
  for (const [label, value] of Object.entries(wanted.selector))
    if (node.labels[label] !== value)
      return `selector wants ${label}=${value}, the node has ${labelText(node, label)}`;
  for (const rule of wanted.eligibility)
    if (!matchesRule(node.labels, rule))
      return `eligibility: ${ruleText(rule)}, the node has ${labelText(node, rule.label)}`;
  if (node.isCordoned) return 'cordoned (spec.unschedulable)';
  if (!node.isReady) return 'not Ready';
  if (node.gpus < gpusPerPod)
    return `allocatable nvidia.com/gpu is ${node.gpus}, workload.gpu is ${gpusPerPod}`;
  return undefined;
}

const labelText = (node: NodeFacts, label: string): string => {
  const value = node.labels[label];
  return value === undefined ? `no label ${label}` : `${label}=${value}`;
};

const ruleText = ({ label, operator, values }: EligibilityRule): string =>
  [label, operator, ...(values.length > 0 ? [`[${values.join(', ')}]`] : [])].join(' ');

/** One node-affinity expression against labels, as the scheduler decides it: NotIn holds where the label is absent. */
export function matchesRule(labels: Readonly<Record<string, string>>, rule: EligibilityRule): boolean {
  const value = labels[rule.label];
  switch (rule.operator) {
    case 'In':
      return value !== undefined && rule.values.includes(value);
    case 'NotIn':
      return value === undefined || !rule.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const [bound] = rule.values;
      if (value === undefined || bound === undefined || !/^-?\d+$/u.test(value)) return false;
      return rule.operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
  }
}
