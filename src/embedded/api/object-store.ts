import { randomUUID } from 'node:crypto';
import type { Clock } from '../../units/clock.ts';
import { alreadyExists, ApiError, conflict, expired, notFound } from './api-error.ts';
import type { JsonObject } from './json.ts';
import { keyOf, type KubeObject, type ObjectKey } from './kube-object.ts';
import type { Resource } from './resources.ts';
import { secondsText } from './rfc3339.ts';

/** One change of one object. `previous` is what a selector compares with; a deleted object carries its last version. */
export interface Change {
  readonly kind: 'added' | 'modified' | 'deleted';
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
  readonly version: number;
}

type Listener = (change: Change) => void;

/** An object before it is stored: the store gives uid, version and creation time. */
export interface NewObject extends JsonObject {
  readonly metadata: JsonObject & { readonly name: string; readonly namespace?: string };
}

const pathOf = (key: ObjectKey): string => `${key.namespace ?? ''}/${key.name}`;

/**
 * The objects of the embedded cluster with their history: what etcd and the watch cache are to a real API server.
 * Every change gets the next resource version; listeners get all changes in that order, a change made by a
 * listener after those already under way.
 */
export class ObjectStore {
  readonly #clock: Clock;
  readonly #historyLimit: number;
  readonly #objects = new Map<Resource, Map<string, KubeObject>>();
  readonly #listeners = new Map<Resource, Set<Listener>>();
  readonly #outbox: Change[] = [];
  #history: Change[] = [];
  /** Changes up to this version are forgotten. */
  #forgotten = 0;
  #version = 1;
  #delivered = 1;
  #delivering = false;

  constructor(options: { readonly clock: Clock; readonly historyLimit?: number }) {
    this.#clock = options.clock;
    this.#historyLimit = options.historyLimit ?? 20_000;
  }

  /** Version of the latest change. */
  get version(): number {
    return this.#version;
  }

  get(resource: Resource, key: ObjectKey): KubeObject | undefined {
    return this.#table(resource).get(pathOf(key));
  }

  /** Like {@link get}; throws 404. */
  require(resource: Resource, key: ObjectKey): KubeObject {
    const found = this.get(resource, key);
    if (found === undefined) throw notFound(resource, key.name);
    return found;
  }

  /** All objects of a namespace (of all, when undefined), ordered by namespace and name. */
  list(resource: Resource, namespace?: string): readonly KubeObject[] {
    return this.listAt(resource, namespace, this.#version);
  }

  /** The list as it was at a version; throws 410 when that is forgotten. */
  listAt(resource: Resource, namespace: string | undefined, version: number): readonly KubeObject[] {
    let table = this.#table(resource);
    if (version < this.#version) {
      if (version < this.#forgotten) throw expired(version, this.#forgotten);
      table = new Map(table);
      for (let i = this.#history.length - 1; i >= 0; i -= 1) {
        const change = this.#history[i];
        if (change === undefined || change.version <= version) break;
        if (change.resource !== resource) continue;
        const path = pathOf(keyOf(change.object));
        if (change.previous === undefined) table.delete(path);
        else table.set(path, change.previous);
      }
    }
    return [...table.entries()]
      .filter(([, object]) => namespace === undefined || object.metadata.namespace === namespace)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  /** Stores a new object; throws 409 when its name is taken. */
  create(resource: Resource, object: NewObject): KubeObject {
    const { name, namespace } = object.metadata;
    if (this.get(resource, { namespace, name }) !== undefined) throw alreadyExists(resource, name);
    const stored: KubeObject = {
      ...object,
      kind: resource.kind,
      apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
      metadata: {
        ...object.metadata,
        uid: randomUUID(),
        creationTimestamp: secondsText(this.#clock.wallNs()),
        resourceVersion: '',
      },
    };
    return this.#commit('added', resource, stored, undefined);
  }

  /**
   * Replaces an object by what `change` makes of it (its uid and name stay); nothing happens when that is the same
   * object. Throws 404, or 409 when `expectedVersion` is given and is no longer the object's.
   */
  update(
    resource: Resource,
    key: ObjectKey,
    change: (current: KubeObject) => KubeObject,
    expectedVersion?: string,
  ): KubeObject {
    const current = this.require(resource, key);
    if (expectedVersion !== undefined && expectedVersion !== current.metadata.resourceVersion)
      throw conflict(resource, key.name);
    const next = change(current);
    if (JSON.stringify(next) === JSON.stringify(current)) return current;
    return this.#commit('modified', resource, next, current);
  }

  /** Removes an object, unless its name has meanwhile passed to one with another uid. */
  remove(resource: Resource, key: ObjectKey, uid?: string): KubeObject | undefined {
    const current = this.get(resource, key);
    if (current === undefined || (uid !== undefined && current.metadata.uid !== uid)) return undefined;
    return this.#commit('deleted', resource, current, current);
  }

  /**
   * Calls `listener` for each change after `fromVersion`, first those of the past, then as they happen. Throws 410
   * when the past is no longer known. Returns the function that ends it.
   */
  watch(resource: Resource, fromVersion: number, listener: Listener): () => void {
    if (fromVersion < this.#forgotten) throw expired(fromVersion, this.#forgotten);
    const listeners = this.#listeners.get(resource) ?? new Set();
    this.#listeners.set(resource, listeners);
    // What is committed but not yet delivered comes through the outbox: it must not come twice.
    for (const past of this.#history) {
      if (past.version > fromVersion && past.version <= this.#delivered && past.resource === resource)
        listener(past);
    }
    const later: Listener = (change) => {
      if (change.version > fromVersion) listener(change);
    };
    listeners.add(later);
    return () => {
      listeners.delete(later);
    };
  }

  #table(resource: Resource): Map<string, KubeObject> {
    const table = this.#objects.get(resource) ?? new Map<string, KubeObject>();
    this.#objects.set(resource, table);
    return table;
  }

  #commit(
    kind: Change['kind'],
    resource: Resource,
    next: KubeObject,
    previous: KubeObject | undefined,
  ): KubeObject {
    this.#version += 1;
    const object: KubeObject = {
      ...next,
      metadata: { ...next.metadata, resourceVersion: String(this.#version) },
    };
    const path = pathOf(keyOf(object));
    if (kind === 'deleted') this.#table(resource).delete(path);
    else this.#table(resource).set(path, object);
    const change: Change = { kind, resource, object, previous, version: this.#version };
    this.#history.push(change);
    if (this.#history.length > this.#historyLimit * 1.25) {
      // Trimmed by a fifth at a time: cutting the list at every change would cost its whole length.
      const cut = this.#history.length - this.#historyLimit;
      this.#forgotten = this.#history[cut - 1]?.version ?? this.#forgotten;
      this.#history = this.#history.slice(cut);
    }
    this.#outbox.push(change);
    this.#deliver();
    return object;
  }

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let change = this.#outbox.shift(); change !== undefined; change = this.#outbox.shift()) {
        this.#delivered = change.version;
        for (const listener of [...(this.#listeners.get(change.resource) ?? [])]) listener(change);
      }
    } finally {
      this.#delivering = false;
    }
  }
}

/** Is the error this API status? For callers that may ignore, say, a 404. */
export const isApiError = (error: unknown, code: number): error is ApiError =>
  error instanceof ApiError && error.code === code;
