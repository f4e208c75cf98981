import { parseFieldSelector } from './field-selector.ts';
import type { KubeObject } from './kube-object.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { ServedResource } from './served-resource.ts';

/** Does a stored object belong to a request's answer? */
export type Selection = (object: KubeObject) => boolean;

/** Namespace, name and both selectors of a request; throws 400. */
export function parseSelection(
  resource: ServedResource,
  namespace: string | undefined,
  query: URLSearchParams,
): Selection {
  const byLabel = parseLabelSelector(query.get('labelSelector') ?? '');
  const byField = parseFieldSelector(resource.served, query.get('fieldSelector') ?? '');
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    byLabel(object.metadata.labels ?? {}) &&
    byField(resource.show(object));
}
