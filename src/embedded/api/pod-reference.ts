import type { JsonObject } from './json.ts';
import type { Pod } from './pod.ts';

/** The ObjectReference by which an event names its pod. */
export const podReference = ({ metadata }: Pod, fieldPath?: string): JsonObject => ({
  kind: 'Pod',
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
  apiVersion: 'v1',
  resourceVersion: metadata.resourceVersion,
  ...(fieldPath === undefined ? {} : { fieldPath }),
});
