import type { JsonObject } from './json.ts';

/** Metadata that every stored object has. */
export interface ObjectMeta extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels?: JsonObject;
  readonly annotations?: JsonObject;
}

/** An object as the API server stores it; never changed in place. */
export interface KubeObject extends JsonObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
}

/** An object's address within its resource. */
export interface ObjectKey {
  /** Undefined for cluster-wide resources. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** The key of a stored object. */
export const keyOf = (object: KubeObject): ObjectKey => ({
  namespace: object.metadata.namespace,
  name: object.metadata.name,
});
