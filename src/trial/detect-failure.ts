import { recogniseFailure } from '../evidence/failure.ts';
import { podEvents } from '../evidence/kube-event.ts';
import { parsePodStatus } from '../evidence/pod-status.ts';
import type { RawEvidence } from '../evidence/raw-evidence.ts';

/** Why a pod will not become ready, in the cluster's words. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
  readonly hint?: string;
}

/** What is known about a pod that is not ready yet. */
export interface PodView extends Pick<RawEvidence, 'events' | 'statuses' | 'pod'> {
  readonly isDeleted: boolean;
  readonly isLogComplete: boolean;
  readonly lastLines: readonly string[];
  /** Since the pod was asked for. */
  readonly ageMs: number;
}

/** Kubelet tries again after 10 s, then 20 s: the third failure is no hiccup of a registry. */
const pullTries = 3;
const mayPass = new Set(['ErrImagePull', 'RegistryRateLimited']);
/** A GPU may yet be freed, a network plug-in may still start; not for longer than this. */
const graceMs: Readonly<Record<string, number>> = { Unschedulable: 15_000, FailedCreatePodSandBox: 60_000 };

/**
 * Decides when a recognised failure is final, so that a trial need not wait for its time-out. Undefined while there
 * is hope. A container that ended is judged only when its log was read to the end: the sign may be in it.
 */
export function detectFailure(view: PodView): PodFailure | undefined {
  if (view.isDeleted) return { reason: 'Deleted', message: 'someone else deleted the pod during the trial' };
  const status = parsePodStatus(view.statuses.at(-1)?.status);
  const hasEnded = status?.terminated !== undefined;
  if (hasEnded && !view.isLogComplete) return undefined;
  const failure = recogniseFailure(view);
  if (failure === undefined)
    return status?.phase === 'Failed'
      ? { reason: status.reason || 'Failed', message: status.message || 'the pod failed before it was ready' }
      : undefined;
  const { reason, hint, isFinal } = failure;
  if (mayPass.has(reason) && failedPulls(view) < pullTries) return undefined;
  if (!isFinal && view.ageMs < (graceMs[reason] ?? Infinity)) return undefined;
  const printed =
    view.lastLines.length === 0 ? 'it printed nothing' : `its last lines: ${view.lastLines.join(' ⏎ ')}`;
  return { reason, message: hasEnded ? `${failure.message}; ${printed}` : failure.message, hint };
}

/** How often the pull has failed: an event stands for `count` of them, each new count comes as a new observation. */
function failedPulls(view: PodView): number {
  const counts = new Map<string, number>();
  for (const { name, reason, message, count } of podEvents(view.events, view.pod.uid))
    if (reason === 'Failed' && /failed to pull/iu.test(message))
      counts.set(name, Math.max(counts.get(name) ?? 0, count ?? 1));
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
