import type { NodeRequirement, Pod } from '../api/pod.ts';
import type { ClusterNode } from './cluster-node.ts';

const asInteger = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^-?\d+$/u.test(text) ? BigInt(text) : undefined;

function meets(value: string | undefined, { operator, values }: NodeRequirement): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const here = asInteger(value);
      const bound = asInteger(values[0]);
      if (here === undefined || bound === undefined) return false;
      return operator === 'Gt' ? here > bound : here < bound;
    }
  }
}

const terms = (
  pod: Pod,
): readonly {
  readonly matchExpressions: readonly NodeRequirement[];
  readonly matchFields: readonly NodeRequirement[];
}[] =>
  pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];

/**
 * Names that the pod's affinity narrows the nodes down to before any other rule is tried (NodeAffinity's PreFilter):
 * only when every term has `metadata.name In […]`. Undefined = no narrowing.
 */
export function preselectedNodes(pod: Pod): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  const all = terms(pod);
  if (all.length === 0) return undefined;
  for (const term of all) {
    const byName = term.matchFields.filter(
      ({ key, operator }) => key === 'metadata.name' && operator === 'In',
    );
    if (byName.length === 0) return undefined;
    for (const name of byName[0]?.values ?? [])
      if (byName.every(({ values }) => values.includes(name))) names.add(name);
  }
  return names;
}

/** nodeSelector and the required node affinity: terms are alternatives, the requirements of one term all count. */
export function matchesAffinity(pod: Pod, node: ClusterNode): boolean {
  const { labels, name } = node.metadata;
  if (!Object.entries(pod.spec.nodeSelector).every(([key, value]) => labels[key] === value)) return false;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return true;
  return terms(pod).some(
    ({ matchExpressions, matchFields }) =>
      // A term without requirements matches nothing (NodeSelectorTerm's documentation).
      matchExpressions.length + matchFields.length > 0 &&
      matchExpressions.every((each) => meets(labels[each.key], each)) &&
      matchFields.every((each) => each.key === 'metadata.name' && meets(name, each)),
  );
}
