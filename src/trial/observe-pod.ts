import type { Cluster } from '../cluster/cluster.ts';
import { eventObject, podObject } from '../cluster/api-objects.ts';
import type { WatchSink } from '../cluster/watch-resource.ts';
import { parsePodStatus, type PodStatus } from '../evidence/pod-status.ts';
import type { ObservedEvent, RawEvidence } from '../evidence/raw-evidence.ts';

type Line = RawEvidence['lines'][number];

/** A pod as it is seen while it lives: everything that arrived, oldest first, and whoever waits is woken. */
export class PodObservation implements AsyncDisposable {
  readonly events: ObservedEvent[] = [];
  readonly statuses: RawEvidence['statuses'] = [];
  readonly lines: Line[] = [];
  readonly watchGaps: RawEvidence['watchGaps'] = [];
  /** The pod was deleted by someone. */
  isDeleted = false;
  /** The log was read to its end. */
  isLogComplete = false;
  readonly #cluster: Cluster;
  readonly #podName: string;
  readonly #stop = new AbortController();
  readonly #tasks: Promise<void>[] = [];
  #changed = Promise.withResolvers<undefined>();
  #broken: { readonly error: unknown } | undefined;
  #uid: string | undefined;
  #isLogOpen = false;

  private constructor(cluster: Cluster, podName: string) {
    this.#cluster = cluster;
    this.#podName = podName;
  }

  /** Opens the watches before the pod exists, so that nothing about it arrives late; resolves when both are open. */
  static async open(cluster: Cluster, podName: string, signal: AbortSignal): Promise<PodObservation> {
    const observation = new PodObservation(cluster, podName);
    const pod = Promise.withResolvers<undefined>();
    const events = Promise.withResolvers<undefined>();
    const stop = observation.#stop.signal;
    observation.#own(
      cluster.watchPod(
        podName,
        observation.#podSink(() => pod.resolve(undefined)),
        stop,
      ),
      pod.reject,
    );
    observation.#own(
      cluster.watchEvents(
        podName,
        observation.#eventSink(() => events.resolve(undefined)),
        stop,
      ),
      events.reject,
    );
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void =>
      aborted.reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([Promise.all([pod.promise, events.promise]), aborted.promise]);
    } catch (error) {
      await observation[Symbol.asyncDispose]();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return observation;
  }

  get uid(): string | undefined {
    return this.#uid;
  }

  set uid(uid: string | undefined) {
    this.#uid = uid;
  }

  /** The newest status. */
  get status(): PodStatus | undefined {
    const last = this.statuses.at(-1);
    return last === undefined ? undefined : parsePodStatus(last.status);
  }

  /** Reasons of the pod's events so far. */
  get reasons(): readonly string[] {
    return this.events.map(({ event }) => eventObject.parse(event).reason ?? '');
  }

  /** Settles with the next thing that arrives; rejects when a watch cannot go on. */
  async next(): Promise<void> {
    this.#throwIfBroken();
    await this.#changed.promise;
    this.#throwIfBroken();
  }

  /** Makes {@link next} reject: something that the observation depends on cannot go on. */
  fail(error: unknown): void {
    this.#broken ??= { error };
    this.wake();
  }

  /** Follows the log; a second call changes nothing. Open it when the container has started. */
  followLog(container: string): void {
    if (this.#isLogOpen) return;
    this.#isLogOpen = true;
    const followed = this.#cluster.followLog({
      pod: this.#podName,
      container,
      signal: this.#stop.signal,
      onLine: ({ atNs, line }, arrivedNs) => {
        this.lines.push({ atNs: String(atNs), arrivedNs: String(arrivedNs), line });
        this.wake();
      },
      isRunning: () => !this.isDeleted && this.status?.terminated === undefined,
    });
    this.#own(
      followed.then(() => {
        this.isLogComplete = true;
        this.wake();
      }),
      () => undefined,
    );
  }

  /** Adds what the API has about the pod and no watch has brought. */
  async reconcileEvents(signal: AbortSignal): Promise<void> {
    if (this.#uid === undefined) return;
    for (const event of await this.#cluster.listEvents(this.#uid, signal)) {
      const known = this.events.some(({ event: seen }) => isSameEvent(seen, event));
      if (!known) this.events.push({ event });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('observation ended'));
    await Promise.allSettled(this.#tasks);
  }

  #own(task: Promise<void>, onFailure: (error: unknown) => void): void {
    this.#tasks.push(
      task.catch((error: unknown) => {
        onFailure(error);
        this.fail(error);
      }),
    );
  }

  /** Wakes whoever waits in {@link next}: something outside the watches has changed. */
  wake(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers<undefined>();
  }

  #throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  #onGap(fromNs: bigint, toNs: bigint): void {
    this.watchGaps.push({ fromNs: String(fromNs), toNs: String(toNs) });
  }

  #podSink(onOpen: () => void): WatchSink {
    return {
      onOpen,
      onGap: (fromNs, toNs) => this.#onGap(fromNs, toNs),
      onObject: (change, object, arrivedNs) => {
        const { metadata, spec, status = {} } = podObject.parse(object);
        if (this.#uid !== undefined && metadata.uid !== this.#uid) return;
        if (change === 'DELETED') this.isDeleted = true;
        this.statuses.push({
          arrivedNs: String(arrivedNs),
          ...(spec?.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
          status,
        });
        this.wake();
      },
    };
  }

  #eventSink(onOpen: () => void): WatchSink {
    return {
      onOpen,
      onGap: (fromNs, toNs) => this.#onGap(fromNs, toNs),
      onObject: (change, object, arrivedNs) => {
        if (change === 'DELETED') return;
        const event = eventObject.parse(object);
        if (this.#uid !== undefined && event.involvedObject.uid !== this.#uid) return;
        this.events.push({ arrivedNs: String(arrivedNs), event });
        this.wake();
      },
    };
  }
}

const isSameEvent = (a: object, b: object): boolean => {
  const one = eventObject.parse(a);
  const other = eventObject.parse(b);
  return one.metadata.name === other.metadata.name && (one.count ?? 1) === (other.count ?? 1);
};
