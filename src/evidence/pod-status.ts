import { z } from 'zod';

const waiting = z.looseObject({ reason: z.string().nullish(), message: z.string().nullish() });
const terminated = z.looseObject({
  exitCode: z.number().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
});
const statusShape = z.looseObject({
  phase: z.string().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  conditions: z
    .array(
      z.looseObject({
        type: z.string(),
        status: z.string(),
        reason: z.string().nullish(),
        message: z.string().nullish(),
        lastTransitionTime: z.string().nullish(),
      }),
    )
    .nullish(),
  containerStatuses: z
    .array(
      z.looseObject({
        state: z
          .looseObject({
            waiting: waiting.nullish(),
            running: z.looseObject({ startedAt: z.string().nullish() }).nullish(),
            terminated: terminated.nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
});

/** A condition of a pod, e.g. PodScheduled. */
export interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** Whole seconds, RFC 3339. */
  readonly lastTransitionTime: string | undefined;
}

/** A pod's status, cut down to what judging needs. Trial pods have one container. */
export interface PodStatus {
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly conditions: readonly PodCondition[];
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
  readonly startedAt: string | undefined;
  readonly terminated:
    { readonly exitCode: number | undefined; readonly reason: string; readonly message: string } | undefined;
}

/** Parses a pod's status; undefined when it is none. */
export function parsePodStatus(status: unknown): PodStatus | undefined {
  const { success, data } = statusShape.safeParse(status);
  if (!success) return undefined;
  const state = data.containerStatuses?.[0]?.state;
  return {
    phase: data.phase ?? '',
    reason: data.reason ?? '',
    message: data.message ?? '',
    conditions: (data.conditions ?? []).map((condition) => ({
      type: condition.type,
      status: condition.status,
      reason: condition.reason ?? '',
      message: condition.message ?? '',
      lastTransitionTime: condition.lastTransitionTime ?? undefined,
    })),
    waiting: state?.waiting
      ? { reason: state.waiting.reason ?? '', message: state.waiting.message ?? '' }
      : undefined,
    startedAt: state?.running?.startedAt ?? undefined,
    terminated: state?.terminated
      ? {
          exitCode: state.terminated.exitCode ?? undefined,
          reason: state.terminated.reason ?? '',
          message: state.terminated.message ?? '',
        }
      : undefined,
  };
}
