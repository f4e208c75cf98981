import { findResource, type Resource } from './resources.ts';

/** What a path under /api or /apis names. */
export interface RequestTarget {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  /** Undefined for the collection. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows `proxy`, undecoded, with its slash. */
  readonly rest: string;
}

const decode = (part: string | undefined): string | undefined => {
  try {
    return part === undefined || part === '' ? undefined : decodeURIComponent(part);
  } catch {
    return undefined;
  }
};

/** Takes `/api/v1/…` and `/apis/GROUP/VERSION/…` apart; undefined when nothing is served there. */
export function parseTarget(path: string): RequestTarget | undefined {
  const parts = path.split('/').slice(1);
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return undefined;
  const [group = '', version = ''] = isCore ? ['', parts[1]] : [parts[1], parts[2]];
  let after = parts.slice(isCore ? 2 : 3);
  let namespace: string | undefined;
  // `/namespaces/NAME/RESOURCE` is a scope; `/namespaces/NAME` and `/namespaces/NAME/status` are the resource itself.
  if (after[0] === 'namespaces' && after[2] !== undefined && !['status', 'finalize', ''].includes(after[2])) {
    namespace = decode(after[1]);
    after = after.slice(2);
  }
  const resource = findResource(group, version, after[0] ?? '');
  if (resource === undefined || (namespace !== undefined && !resource.namespaced)) return undefined;
  const subresource = decode(after[2]);
  if (subresource !== undefined && subresource !== 'proxy' && after.length > 3) return undefined;
  return {
    resource,
    namespace,
    name: decode(after[1]),
    subresource,
    rest: after.length > 3 ? `/${after.slice(3).join('/')}` : '/',
  };
}
