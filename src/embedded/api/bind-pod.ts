import { conflict } from './api-error.ts';
import { isJsonObject, objectsAt, textAt, type JsonObject } from './json.ts';
import type { KubeObject, ObjectKey } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import { pods } from './resources.ts';
import { secondsText } from './rfc3339.ts';

/** A status with one condition set; lastTransitionTime stays while the status of the condition does. */
export function withCondition(object: KubeObject, condition: JsonObject, nowNs: bigint): KubeObject {
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const conditions = objectsAt(status, 'conditions');
  const at = conditions.findIndex((each) => each['type'] === condition['type']);
  const before = conditions[at];
  const lastTransitionTime =
    before !== undefined && before['status'] === condition['status']
      ? before['lastTransitionTime']
      : secondsText(nowNs);
  const next = { lastProbeTime: null, ...condition, lastTransitionTime };
  return {
    ...object,
    status: {
      ...status,
      conditions: before === undefined ? [...conditions, next] : conditions.with(at, next),
    },
  };
}

/** The binding subresource: gives a pod its node and says PodScheduled. Throws 404, or 409 when it has a node. */
export function bindPod(store: ObjectStore, key: ObjectKey, nodeName: string, nowNs: bigint): KubeObject {
  return store.update(pods, key, (pod) => {
    const bound = textAt(pod, 'spec', 'nodeName');
    if (bound !== undefined)
      throw conflict(pods, key.name, `pod ${key.name} is already assigned to node ${JSON.stringify(bound)}`);
    const spec = isJsonObject(pod['spec']) ? pod['spec'] : {};
    return withCondition(
      { ...pod, spec: { ...spec, nodeName } },
      { type: 'PodScheduled', status: 'True' },
      nowNs,
    );
  });
}
