import { conflict } from './api-error.ts';
import { isJsonObject, jsonAt, textAt, type Json, type JsonObject } from './json.ts';
import { keyOf, type KubeObject, type ObjectKey } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import { eventsV1, namespaces, pods, resources, type Resource } from './resources.ts';
import { secondsText } from './rfc3339.ts';

/** metav1.DeleteOptions, as far as they are observed. */
export interface DeleteOptions {
  /** Seconds that a pod may take to end; undefined = what its spec says. */
  readonly gracePeriodSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** Reads the options from body and query. */
export function readDeleteOptions(body: Json, query: URLSearchParams): DeleteOptions {
  const inBody = jsonAt(body, 'gracePeriodSeconds');
  const inQuery = query.get('gracePeriodSeconds');
  return {
    gracePeriodSeconds:
      typeof inBody === 'number' ? inBody : inQuery === null ? undefined : Math.max(0, Number(inQuery)),
    uid: textAt(body, 'preconditions', 'uid'),
    resourceVersion: textAt(body, 'preconditions', 'resourceVersion'),
  };
}

function markPodDeleted(
  store: ObjectStore,
  pod: KubeObject,
  options: DeleteOptions,
  nowNs: bigint,
): KubeObject {
  const ofSpec = jsonAt(pod, 'spec', 'terminationGracePeriodSeconds');
  const asked = options.gracePeriodSeconds ?? (typeof ofSpec === 'number' ? ofSpec : 30);
  const phase = textAt(pod, 'status', 'phase');
  // Nobody has to stop what never started or has ended: registry/core/pod/strategy.go, CheckGracefulDelete.
  const idle = textAt(pod, 'spec', 'nodeName') === undefined || phase === 'Failed' || phase === 'Succeeded';
  const grace = idle ? 0 : asked;
  const before = jsonAt(pod, 'metadata', 'deletionGracePeriodSeconds');
  if (grace > 0 && typeof before === 'number' && before <= grace) return pod;
  const generation = jsonAt(pod, 'metadata', 'generation');
  const marked = store.update(pods, keyOf(pod), (current) => ({
    ...current,
    metadata: {
      ...current.metadata,
      generation: (typeof generation === 'number' ? generation : 1) + 1,
      deletionTimestamp: secondsText(nowNs + BigInt(Math.round(grace * 1e9))),
      deletionGracePeriodSeconds: grace,
    },
  }));
  if (grace === 0) store.remove(pods, keyOf(marked), marked.metadata.uid);
  return marked;
}

// Content goes first, the namespace when the last of it is gone (pods may need their kubelet).
function deleteNamespace(store: ObjectStore, namespace: KubeObject, nowNs: bigint): KubeObject {
  if (namespace.metadata.deletionTimestamp !== undefined) return namespace;
  const { name } = namespace.metadata;
  const marked = store.update(namespaces, keyOf(namespace), (current) => ({
    ...current,
    metadata: { ...current.metadata, deletionTimestamp: secondsText(nowNs) },
    status: { phase: 'Terminating' },
  }));
  const contents = resources.filter((each) => each.namespaced && each !== eventsV1);
  const options: DeleteOptions = {
    gracePeriodSeconds: undefined,
    uid: undefined,
    resourceVersion: undefined,
  };
  for (const resource of contents)
    for (const object of store.list(resource, name))
      deleteObject(store, resource, keyOf(object), options, nowNs);
  let stop = (): void => undefined;
  const finish = (): void => {
    if (store.list(pods, name).length > 0) return;
    stop();
    // Events that the last pods left behind while they ended.
    for (const resource of contents)
      for (const object of store.list(resource, name)) store.remove(resource, keyOf(object));
    store.remove(namespaces, keyOf(marked), marked.metadata.uid);
  };
  stop = store.watch(pods, store.version, finish);
  finish();
  return marked;
}

/**
 * Deletes an object: pods gracefully (their kubelet removes them), namespaces with their content, everything else
 * at once. Returns what the API answers. Throws 404, or 409 for a failed precondition.
 */
export function deleteObject(
  store: ObjectStore,
  resource: Resource,
  key: ObjectKey,
  options: DeleteOptions,
  nowNs: bigint,
): JsonObject {
  const current = store.require(resource, key);
  const { uid, resourceVersion } = current.metadata;
  for (const [name, wanted, found] of [
    ['UID', options.uid, uid],
    ['ResourceVersion', options.resourceVersion, resourceVersion],
  ] as const)
    if (wanted !== undefined && wanted !== found)
      throw conflict(
        resource,
        key.name,
        `Precondition failed: ${name} in precondition: ${wanted}, ${name} in object meta: ${found}`,
      );
  if (resource === pods) return markPodDeleted(store, current, options, nowNs);
  if (resource === namespaces) return deleteNamespace(store, current, nowNs);
  store.remove(resource, key);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: key.name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      uid,
    },
  };
}

/** Keeps what the client may not change: identity, creation, deletion. */
export function keepIdentity(next: JsonObject, current: KubeObject): KubeObject {
  const given = isJsonObject(next['metadata']) ? next['metadata'] : {};
  const { deletionTimestamp: _ignored, deletionGracePeriodSeconds: _seconds, ...rest } = given;
  const { metadata } = current;
  const grace = metadata['deletionGracePeriodSeconds'];
  return {
    ...next,
    kind: current.kind,
    apiVersion: current.apiVersion,
    metadata: {
      ...rest,
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      creationTimestamp: metadata.creationTimestamp,
      ...(metadata.deletionTimestamp === undefined
        ? {}
        : {
            deletionTimestamp: metadata.deletionTimestamp,
            ...(grace === undefined ? {} : { deletionGracePeriodSeconds: grace }),
          }),
    },
  };
}
