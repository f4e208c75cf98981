import type { RawEvidence } from '../evidence/raw-evidence.ts';
import { containerName } from '../scenario/pod-manifest.ts';
import { detectFailure } from './detect-failure.ts';
import type { PodObservation } from './observe-pod.ts';
import { ReadyWatch } from './ready-sign.ts';
import type { TrialContext, TrialPhase } from './trial-context.ts';

/** How waiting ended, and the sign when there was one. */
export interface Readiness {
  readonly ready: RawEvidence['ready'];
  readonly end: RawEvidence['end'];
}

/** How often the clock is looked at when nothing arrives. */
const tickMs = 500;
const linesInMessage = 5;

/**
 * Waits until the pod is ready, has failed, or the time is over. `onFirstLog` is called once, when the first line is
 * in. Rejects with the signal's reason when it aborts, and when the cluster cannot be watched any more.
 */
export async function awaitReady(
  context: Pick<TrialContext, 'scenario' | 'cluster' | 'clock' | 'onPhase'>,
  pod: { readonly name: string; readonly observation: PodObservation },
  signal: AbortSignal,
  onFirstLog: () => void = () => undefined,
): Promise<Readiness> {
  const { clock, cluster, scenario } = context;
  const { observation } = pod;
  const { timeoutMs, ready } = scenario.workload;
  const startedNs = clock.monotonicNs();
  const watch = new ReadyWatch(ready);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let phase: TrialPhase | undefined;
  let heard = false;
  let tick: Promise<void> | undefined;
  try {
    for (;;) {
      signal.throwIfAborted();
      const now = currentPhase(observation);
      if (now !== phase) context.onPhase((phase = now));
      if (now === 'waiting for ready') {
        observation.followLog(containerName);
        watch.startPolling(cluster, pod.name, clock, observation, both);
      }
      if (!heard && observation.lines.length > 0) {
        heard = true;
        onFirstLog();
      }
      const seen = watch.check(observation);
      if (seen !== undefined) return { ready: seen, end: { kind: 'ready' } };
      const ageMs = Number(clock.monotonicNs() - startedNs) / 1e6;
      const failure = detectFailure({
        events: observation.events,
        statuses: observation.statuses,
        pod: { name: pod.name, namespace: cluster.namespace, uid: observation.uid },
        isDeleted: observation.isDeleted,
        isLogComplete: observation.isLogComplete,
        lastLines: observation.lines.slice(-linesInMessage).map(({ line }) => line),
        ageMs,
      });
      if (failure !== undefined) return { ready: undefined, end: { kind: 'failed', ...failure } };
      if (ageMs >= timeoutMs) return { ready: undefined, end: { kind: 'timed-out', afterMs: ageMs } };
      tick ??= clock.sleep(Math.min(tickMs, timeoutMs - ageMs), both).finally(() => (tick = undefined));
      await Promise.race([observation.next(), tick]);
    }
  } finally {
    stop.abort(new Error('waiting ended'));
    await tick?.catch(() => undefined);
  }
}

function currentPhase(observation: PodObservation): TrialPhase {
  const { reasons, status } = observation;
  if (reasons.includes('Started') || status?.startedAt !== undefined || status?.terminated !== undefined)
    return 'waiting for ready';
  if (reasons.includes('Pulled')) return 'starting';
  return reasons.includes('Scheduled') || reasons.includes('Pulling') ? 'pulling' : 'scheduling';
}
