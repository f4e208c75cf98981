import { ApiError, badRequest, invalid } from './api-error.ts';
import { keepIdentity } from './delete-object.ts';
import { isJsonObject, textAt, type Json, type JsonObject } from './json.ts';
import { applyJsonPatch } from './json-patch.ts';
import type { KubeObject, ObjectKey } from './kube-object.ts';
import { applyMergePatch, applyStrategicPatch } from './merge-patch.ts';
import { requireKind } from './object-admission.ts';
import type { ObjectStore } from './object-store.ts';
import { defaultPod } from './pod-defaults.ts';
import { podUpdateErrors } from './pod-validation.ts';
import { nodes, pods, type Resource } from './resources.ts';

const patched = (current: KubeObject, patch: Json, contentType: string): Json => {
  if (contentType === 'application/json-patch+json') return applyJsonPatch(current, patch);
  if (!isJsonObject(patch)) throw badRequest('the patch must be an object');
  if (contentType === 'application/merge-patch+json') return applyMergePatch(current, patch);
  if (contentType === 'application/strategic-merge-patch+json') return applyStrategicPatch(current, patch);
  throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
};

/** The object after an update through the main resource or through `status`: each leaves the other's part alone. */
function nextObject(
  resource: Resource,
  current: KubeObject,
  wanted: JsonObject,
  part: 'main' | 'status',
): KubeObject {
  const withIdentity = keepIdentity(wanted, current);
  if (part === 'status') {
    const { status } = withIdentity;
    return { ...current, status };
  }
  if (resource !== pods && resource !== nodes) return withIdentity;
  const { status: _wantedStatus, ...rest } = withIdentity;
  const next: KubeObject = {
    // Defaulted again: `kubectl apply` sends back what its file says, numbers for quantities included.
    ...(resource === pods ? defaultPod(rest) : rest),
    kind: current.kind,
    apiVersion: current.apiVersion,
    metadata: withIdentity.metadata,
  };
  const { status } = current;
  if (resource === pods) {
    const errors = podUpdateErrors(current, next);
    if (errors.length > 0) throw invalid(resource, current.metadata.name, errors);
  }
  return status === undefined ? next : { ...next, status };
}

/** PUT: throws 400, 404, 409 (stale resourceVersion) or 422. */
export function replaceObject(
  store: ObjectStore,
  resource: Resource,
  key: ObjectKey,
  json: Json,
  part: 'main' | 'status',
): KubeObject {
  const body = requireKind(resource, json);
  if (textAt(body, 'metadata', 'name') !== key.name)
    throw badRequest(
      `the name of the object (${textAt(body, 'metadata', 'name') ?? ''}) does not match the name on the URL (${key.name})`,
    );
  const expected = textAt(body, 'metadata', 'resourceVersion');
  return store.update(resource, key, (current) => nextObject(resource, current, body, part), expected);
}

/** PATCH by the content type's kind of patch; throws 400, 404, 409, 415 or 422. */
export function patchObject(
  store: ObjectStore,
  resource: Resource,
  key: ObjectKey,
  patch: Json,
  contentType: string,
  part: 'main' | 'status',
): KubeObject {
  const expected = textAt(patch, 'metadata', 'resourceVersion');
  return store.update(
    resource,
    key,
    (current) =>
      nextObject(resource, current, requireKind(resource, patched(current, patch, contentType)), part),
    expected,
  );
}
