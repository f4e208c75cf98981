import { ApiError, badRequest } from './api-error.ts';
import { isJsonObject, parseJson, type Json, type JsonObject } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import type { Selection } from './selection.ts';
import type { ServedResource } from './served-resource.ts';
import { isApiError } from './object-store.ts';
import { groupVersion } from './resources.ts';
import { toTable } from './table.ts';

/** Where the next page of a list starts, at the version of the first page. */
interface ContinueToken {
  readonly version: number;
  readonly after: string;
}

const encode = (token: ContinueToken): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.version, start: token.after })).toString(
    'base64url',
  );

function decode(text: string): ContinueToken {
  let json: Json = null;
  try {
    json = parseJson(Buffer.from(text, 'base64url').toString());
  } catch {
    // Falls through to the 400 below, like every other token that is not ours.
  }
  const members = isJsonObject(json) ? json : {};
  const { rv: version, start: after } = members;
  if (typeof version !== 'number' || typeof after !== 'string')
    throw badRequest('invalid continue token: continue key is not valid');
  return { version, after };
}

/** Reads resourceVersion; undefined when absent or 0 ("any version will do"). Throws 400. */
export function readVersion(query: URLSearchParams): number | undefined {
  const text = query.get('resourceVersion') ?? '';
  if (text === '' || text === '0') return undefined;
  if (!/^\d+$/u.test(text))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

const pathOf = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

function snapshot(
  store: ObjectStore,
  resource: ServedResource,
  namespace: string | undefined,
  version: number,
  continued: boolean,
): readonly KubeObject[] {
  try {
    return store.listAt(resource.stored, namespace, version);
  } catch (error) {
    if (!continued || !isApiError(error, 410)) throw error;
    throw new ApiError(
      410,
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list ' +
        'without the continue parameter.',
    );
  }
}

/** Answers a list: selectors, `limit` and `continue` (410 when that is too old), as JSON list or as table. */
export function answerList(
  store: ObjectStore,
  resource: ServedResource,
  namespace: string | undefined,
  selection: Selection,
  query: URLSearchParams,
  options: { readonly table: boolean; readonly nowNs: bigint },
): JsonObject {
  const asked = readVersion(query);
  const token = query.get('continue');
  const from = token === null || token === '' ? undefined : decode(token);
  const exact = query.get('resourceVersionMatch') === 'Exact' ? asked : undefined;
  const version = from?.version ?? exact ?? store.version;
  const all = snapshot(store, resource, namespace, version, from !== undefined).filter(selection);
  const rest = from === undefined ? all : all.filter((object) => pathOf(object) > from.after);
  const limit = Number(query.get('limit') ?? 0);
  const page = limit > 0 ? rest.slice(0, limit) : rest;
  const last = page.at(-1);
  const metadata: JsonObject = {
    resourceVersion: String(version),
    ...(last !== undefined && page.length < rest.length
      ? {
          continue: encode({ version, after: pathOf(last) }),
          ...(query.has('labelSelector') || query.has('fieldSelector')
            ? {}
            : { remainingItemCount: rest.length - page.length }),
        }
      : {}),
  };
  const shown = page.map(resource.show);
  if (options.table) {
    const include = query.get('includeObject') ?? 'Metadata';
    return toTable(resource.served, shown, { nowNs: options.nowNs, include, metadata, definitions: true });
  }
  return {
    kind: `${resource.served.kind}List`,
    apiVersion: groupVersion(resource.served),
    metadata,
    items: shown,
  };
}
