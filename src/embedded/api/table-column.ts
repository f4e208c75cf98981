import { humanDuration } from './human-duration.ts';
import type { Json } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import { parseRfc3339Ns } from './rfc3339.ts';

/** One column of `kubectl get`; `wide` ones show with -o wide only. */
export interface Column {
  readonly name: string;
  readonly wide?: true;
  readonly cell: (object: KubeObject, nowNs: bigint) => Json;
}

/** Time since an RFC 3339 text, or `<unknown>`. */
export function since(text: string | undefined, nowNs: bigint): string {
  const atNs = text === undefined ? undefined : parseRfc3339Ns(text);
  return atNs === undefined ? '<unknown>' : humanDuration(Number((nowNs - atNs) / 1_000_000n));
}
