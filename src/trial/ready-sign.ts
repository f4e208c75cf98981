import type { Cluster } from '../cluster/cluster.ts';
import { HarnessError } from '../errors/harness-error.ts';
import { parsePodStatus } from '../evidence/pod-status.ts';
import type { RawEvidence } from '../evidence/raw-evidence.ts';
import type { ReadySign } from '../scenario/scenario.ts';
import type { Clock } from '../units/clock.ts';
import type { PodObservation } from './observe-pod.ts';

type Seen = NonNullable<RawEvidence['ready']>;

const httpPollMs = 50;

/** Waits for the workload's own sign in what is observed of its pod. */
export class ReadyWatch {
  readonly #sign: ReadySign;
  readonly #pattern: RegExp | undefined;
  #scanned = 0;
  #httpSeen: Seen | undefined;
  #polling: Promise<void> | undefined;

  constructor(sign: ReadySign) {
    this.#sign = sign;
    this.#pattern = sign.kind === 'log' ? new RegExp(sign.pattern, 'u') : undefined;
  }

  /** The sign, once it was seen. */
  check(observation: PodObservation): Seen | undefined {
    switch (this.#sign.kind) {
      case 'log':
        while (this.#scanned < observation.lines.length) {
          const line = this.#scanned;
          this.#scanned += 1;
          if (this.#pattern?.test(observation.lines[line]?.line ?? '')) return { kind: 'log', line };
        }
        return undefined;
      case 'http':
        return this.#httpSeen;
      case 'probe': {
        const ready = observation.statuses.find(({ status }) =>
          parsePodStatus(status)?.conditions.some(
            ({ type, status: is }) => type === 'Ready' && is === 'True',
          ),
        );
        return ready === undefined ? undefined : { kind: 'probe', arrivedNs: ready.arrivedNs };
      }
    }
  }

  /** Starts asking a pod that runs, where the sign is an HTTP answer; otherwise does nothing. Ends with `signal`. */
  startPolling(
    cluster: Cluster,
    pod: string,
    clock: Clock,
    observation: PodObservation,
    signal: AbortSignal,
  ): void {
    if (this.#sign.kind !== 'http' || this.#polling !== undefined) return;
    const { port, path } = this.#sign;
    const poll = async (): Promise<void> => {
      for (;;) {
        const { status } = await cluster
          .proxyPod({ namespace: cluster.namespace, pod, port, method: 'GET', path, signal })
          .catch((error: unknown) => {
            // A server that does not listen yet: the API server answers for it, or cuts the line.
            if (error instanceof HarnessError && error.code === 'CLUSTER_UNREACHABLE') return { status: 503 };
            throw error;
          });
        if (status >= 200 && status < 300) {
          this.#httpSeen = { kind: 'http', atNs: String(clock.wallNs()), pollMs: httpPollMs };
          observation.wake();
          return;
        }
        await clock.sleep(httpPollMs, signal);
      }
    };
    this.#polling = poll().catch((error: unknown) => {
      if (!signal.aborted) observation.fail(error);
    });
  }
}
