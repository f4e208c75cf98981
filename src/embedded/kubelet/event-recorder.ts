import type { Clock } from '../../units/clock.ts';
import { podReference } from '../api/pod-reference.ts';
import type { ObjectStore } from '../api/object-store.ts';
import type { Pod } from '../api/pod.ts';
import { events } from '../api/resources.ts';
import { secondsText } from '../api/rfc3339.ts';

/** An event as the kubelet reports it. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Container that it is about. */
  readonly container?: string;
}

/**
 * client-go's legacy recorder (tools/record/event.go): the name carries the nanoseconds, first and last timestamp
 * the whole seconds of the same instant, and there is no eventTime. A repeated event raises the count of the first.
 */
export class EventRecorder {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #nodeName: string;
  readonly #seen = new Map<string, string>();
  #lastNs = 0n;

  constructor(options: { readonly store: ObjectStore; readonly clock: Clock; readonly nodeName: string }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#nodeName = options.nodeName;
  }

  record(pod: Pod, event: PodEvent): void {
    // Two events never share an instant on a real machine; a coarse clock must not make two names the same.
    const readNs = this.#clock.wallNs();
    const atNs = readNs > this.#lastNs ? readNs : this.#lastNs + 1n;
    this.#lastNs = atNs;
    const { namespace, uid } = pod.metadata;
    const identity = [uid, event.container, event.type, event.reason, event.message].join('\0');
    const before = this.#seen.get(identity);
    const lastTimestamp = secondsText(atNs);
    const key = { namespace, name: before ?? '' };
    if (before !== undefined && this.#store.get(events, key) !== undefined) {
      this.#store.update(events, key, (current) => ({
        ...current,
        lastTimestamp,
        count: (typeof current['count'] === 'number' ? current['count'] : 1) + 1,
      }));
      return;
    }
    const name = `${pod.metadata.name}.${atNs.toString(16)}`;
    this.#seen.set(identity, name);
    const fieldPath = event.container === undefined ? undefined : `spec.containers{${event.container}}`;
    this.#store.create(events, {
      metadata: { name, namespace },
      involvedObject: podReference(pod, fieldPath),
      reason: event.reason,
      message: event.message,
      source: { component: 'kubelet', host: this.#nodeName },
      firstTimestamp: lastTimestamp,
      lastTimestamp,
      count: 1,
      type: event.type,
      eventTime: null,
      reportingComponent: 'kubelet',
      reportingInstance: this.#nodeName,
    });
  }

  /** Forgets what was said about a pod that is gone. */
  forget(pod: Pod): void {
    for (const identity of this.#seen.keys())
      if (identity.startsWith(`${pod.metadata.uid}\0`)) this.#seen.delete(identity);
  }
}
