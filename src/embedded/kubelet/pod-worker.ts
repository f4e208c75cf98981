import { HarnessError } from '../../errors/harness-error.ts';
import type { Clock } from '../../units/clock.ts';
import type { ContainerLog, LogBook } from '../api/container-log.ts';
import { textAt } from '../api/json.ts';
import { isApiError, type ObjectStore } from '../api/object-store.ts';
import { hasEnded, type Pod, type PodContainer } from '../api/pod.ts';
import { pods, runtimeClasses } from '../api/resources.ts';
import type { Container, ContainerExit, ContainerRuntime } from '../container-runtime.ts';
import { backOffMs } from './back-off.ts';
import type { EventRecorder, PodEvent } from './event-recorder.ts';
import { containerEnvironment, expandVariables } from './expand-variables.ts';
import { ensureImage } from './image-pull.ts';
import type { PodAddresses } from './pod-addresses.ts';
import {
  withPodStatus,
  type ContainerRecord,
  type ContainerState,
  type EndedInstance,
} from './pod-status.ts';

/** What the pods of a node share. */
export interface PodWorkerContext {
  readonly store: ObjectStore;
  readonly logs: LogBook;
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly addresses: PodAddresses;
  readonly hostIp: string;
  readonly runtimeHandlers: ReadonlySet<string>;
}

type Attempt =
  | {
      readonly kind: 'started';
      readonly container: Container;
      readonly log: ContainerLog;
      readonly startedAtNs: bigint;
    }
  | { readonly kind: 'ended'; readonly instance: EndedInstance }
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string };

/** Time between two rounds of the kubelet over a pod that has a problem. */
const syncMs = 1000;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One pod on its node, from its first status to its removal from the store. */
export class PodWorker {
  readonly #context: PodWorkerContext;
  readonly #pod: Pod;
  readonly #stopping = new AbortController();
  readonly #records = new Map<string, ContainerRecord>();
  readonly #created = new Map<string, Container>();
  readonly #startedAtNs: bigint;
  readonly #run: Promise<void>;
  #podIp: string | undefined;

  /** `onError` hears of bugs; what a pod does wrong goes into its status and events. */
  constructor(context: PodWorkerContext, pod: Pod, onError: (error: unknown) => void) {
    this.#context = context;
    this.#pod = pod;
    this.#startedAtNs = context.clock.wallNs();
    const waiting = { kind: 'waiting', reason: 'ContainerCreating' } as const;
    for (const { name } of pod.spec.containers)
      this.#records.set(name, { state: waiting, last: undefined, restartCount: 0 });
    this.#run = hasEnded(pod)
      ? Promise.resolve()
      : this.#runPod().catch((error: unknown) => {
          if (!this.#stopping.signal.aborted) onError(error);
        });
  }

  /** Stops and removes the containers, then the pod itself. */
  async terminate(): Promise<void> {
    const { store, logs, recorder, addresses } = this.#context;
    const { metadata, spec } = this.#pod;
    for (const { name } of spec.containers)
      if (this.#records.get(name)?.state.kind === 'running')
        this.#record(name, { type: 'Normal', reason: 'Killing', message: `Stopping container ${name}` });
    this.#stopping.abort();
    await Promise.all([...this.#created.values()].map((container) => container.remove()));
    await this.#run;
    // Whatever was being created while the stop came.
    await Promise.all([...this.#created.values()].map((container) => container.remove()));
    if (this.#podIp !== undefined && !spec.hostNetwork) addresses.give(this.#podIp);
    logs.forget(metadata.uid);
    recorder.forget(this.#pod);
    store.remove(pods, metadata, metadata.uid);
  }

  async #runPod(): Promise<void> {
    this.#publish();
    const handler = await this.#startSandbox();
    const supervised: Promise<void>[] = [];
    // One after the other: a pod's containers are pulled and started in order; each is then on its own.
    for (const container of this.#pod.spec.containers) {
      const first = await this.#attempt(container, handler);
      supervised.push(this.#supervise(container, handler, first));
    }
    await Promise.all(supervised);
  }

  async #startSandbox(): Promise<string> {
    const { store, addresses, hostIp, runtimeHandlers } = this.#context;
    const { runtimeClassName, hostNetwork } = this.#pod.spec;
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      const runtimeClass =
        runtimeClassName === undefined
          ? undefined
          : store.get(runtimeClasses, { namespace: undefined, name: runtimeClassName });
      const handler = runtimeClassName === undefined ? '' : textAt(runtimeClass, 'handler');
      const address = hostNetwork ? hostIp : addresses.take();
      if (handler !== undefined && runtimeHandlers.has(handler) && address !== undefined) {
        this.#podIp = address;
        this.#publish();
        return handler;
      }
      if (address !== undefined && !hostNetwork) addresses.give(address);
      // The texts of kubelet and containerd.
      const why =
        handler === undefined
          ? `runtimeclass.node.k8s.io ${JSON.stringify(runtimeClassName)} not found`
          : address === undefined
            ? 'rpc error: code = Unknown desc = failed to setup network for sandbox: no IP addresses available in range set'
            : `rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for ${JSON.stringify(handler)} is configured`;
      const message = `Failed to create pod sandbox: ${why}`;
      this.#context.recorder.record(this.#pod, {
        type: 'Warning',
        reason: 'FailedCreatePodSandBox',
        message,
      });
      await this.#sleep(backOffMs(1));
    }
  }

  async #attempt(container: PodContainer, handler: string): Promise<Attempt> {
    const { runtime, clock, logs } = this.#context;
    const { name } = container;
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    const record = (event: Omit<PodEvent, 'container'>): void => this.#record(name, event);
    const pull = await ensureImage(container, handler, runtime, { clock, signal, record });
    signal.throwIfAborted();
    if (pull.kind === 'failed') return { kind: 'waiting', reason: pull.reason, message: pull.message };
    const before = this.#created.get(name);
    if (before !== undefined) await before.remove();
    this.#created.delete(name);
    let created: Container;
    try {
      created = await this.#create(container, handler);
    } catch (error) {
      signal.throwIfAborted();
      const message = messageOf(error);
      record({ type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
      return { kind: 'waiting', reason: 'CreateContainerError', message };
    }
    this.#created.set(name, created);
    signal.throwIfAborted();
    record({ type: 'Normal', reason: 'Created', message: `Created container: ${name}` });
    const log = logs.open(this.#pod.metadata.uid, name);
    const startedAtNs = clock.wallNs();
    try {
      await created.start((line) => {
        log.append({ atNs: clock.wallNs(), text: line });
      });
    } catch (error) {
      log.close();
      signal.throwIfAborted();
      const message = messageOf(error);
      record({ type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
      const containerId = this.#idOf(created);
      const at = { startedAtNs, finishedAtNs: clock.wallNs() };
      // What containerd reports of a process that could not be started.
      const instance = {
        kind: 'terminated',
        containerId,
        exitCode: 128,
        reason: 'StartError',
        message,
        ...at,
      } as const;
      return { kind: 'ended', instance };
    }
    record({ type: 'Normal', reason: 'Started', message: `Started container ${name}` });
    this.#set(name, { kind: 'running', containerId: this.#idOf(created), startedAtNs: clock.wallNs() });
    return { kind: 'started', container: created, log, startedAtNs };
  }

  async #create(container: PodContainer, handler: string): Promise<Container> {
    const { metadata } = this.#pod;
    const environment = containerEnvironment(container.env);
    const expand = (text: string): string => expandVariables(text, environment);
    if (container.args.length > 0 && container.command.length === 0)
      throw new HarnessError('USAGE', 'the embedded cluster needs `command` where a container has `args`');
    return this.#context.runtime.createContainer(
      {
        podUid: metadata.uid,
        podName: metadata.name,
        namespace: metadata.namespace,
        containerName: container.name,
        image: container.image,
        runtimeHandler: handler,
        command: [...container.command, ...container.args].map(expand),
        environment,
      },
      this.#stopping.signal,
    );
  }

  async #supervise(container: PodContainer, handler: string, first: Attempt): Promise<void> {
    const { name } = container;
    const { restartPolicy } = this.#pod.spec;
    let attempt = first;
    let failures = 0;
    let restarts = 0;
    for (;;) {
      if (attempt.kind === 'waiting') {
        failures += 1;
        await this.#waitAfterFailure(container, attempt, failures);
      } else {
        failures = 0;
        const instance = attempt.kind === 'ended' ? attempt.instance : await this.#waitForExit(attempt);
        this.#stopping.signal.throwIfAborted();
        this.#set(name, instance);
        if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && instance.exitCode === 0)) return;
        await this.#waitBeforeRestart(container, restarts);
        restarts += 1;
        this.#change(name, (record) => ({ ...record, last: instance, restartCount: restarts }));
      }
      attempt = await this.#attempt(container, handler);
    }
  }

  async #waitForExit(attempt: Attempt & { readonly kind: 'started' }): Promise<EndedInstance> {
    const { container, log, startedAtNs } = attempt;
    const exit: ContainerExit = await container.exited;
    const finishedAtNs = this.#context.clock.wallNs();
    log.close();
    const { exitCode, reason } = exit;
    return {
      kind: 'terminated',
      containerId: this.#idOf(container),
      exitCode,
      reason,
      startedAtNs,
      finishedAtNs,
    };
  }

  async #waitAfterFailure(
    { name, image }: PodContainer,
    { reason, message }: Attempt & { readonly kind: 'waiting' },
    failures: number,
  ): Promise<void> {
    this.#set(name, { kind: 'waiting', reason, message });
    if (reason !== 'ErrImagePull') {
      await this.#sleep(backOffMs(1));
      return;
    }
    await this.#sleep(syncMs);
    const backingOff = `Back-off pulling image ${JSON.stringify(image)}`;
    this.#record(name, { type: 'Normal', reason: 'BackOff', message: backingOff });
    this.#record(name, { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' });
    const full = `${backingOff}: ErrImagePull: ${message}`;
    this.#set(name, { kind: 'waiting', reason: 'ImagePullBackOff', message: full });
    await this.#sleep(backOffMs(failures) - syncMs);
  }

  async #waitBeforeRestart({ name }: PodContainer, restarts: number): Promise<void> {
    // The first restart comes at once; the back-off starts with the second.
    if (restarts === 0) return;
    const { metadata } = this.#pod;
    const where = `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
    const waitMs = backOffMs(restarts);
    const last = this.#records.get(name)?.state;
    this.#record(name, {
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting failed container ${name} in pod ${where}`,
    });
    const message = `back-off ${waitMs / 1000}s restarting failed container=${name} pod=${where}`;
    this.#change(name, (record) => ({
      ...record,
      state: { kind: 'waiting', reason: 'CrashLoopBackOff', message },
      last: last?.kind === 'terminated' ? last : record.last,
    }));
    await this.#sleep(waitMs);
  }

  #idOf(container: Container): string {
    return `containerd://${container.id}`;
  }

  #sleep(durationMs: number): Promise<void> {
    return this.#context.clock.sleep(durationMs, this.#stopping.signal);
  }

  #record(container: string, event: Omit<PodEvent, 'container'>): void {
    this.#context.recorder.record(this.#pod, { ...event, container });
  }

  #set(name: string, state: ContainerState): void {
    this.#change(name, (record) => ({ ...record, state }));
  }

  #change(name: string, change: (record: ContainerRecord) => ContainerRecord): void {
    const record = this.#records.get(name);
    if (record === undefined) return;
    this.#records.set(name, change(record));
    this.#publish();
  }

  #publish(): void {
    const { store, clock, hostIp } = this.#context;
    const pod = this.#pod;
    const facts = { hostIp, podIp: this.#podIp, startedAtNs: this.#startedAtNs };
    try {
      store.update(pods, pod.metadata, (stored) =>
        stored.metadata.uid === pod.metadata.uid
          ? withPodStatus(stored, pod, facts, this.#records, clock.wallNs())
          : stored,
      );
    } catch (error) {
      // Deleted by force meanwhile: the kubelet ends the worker as soon as it hears of it.
      if (!isApiError(error, 404)) throw error;
    }
  }
}
