import type { ArmExpectation } from './arm-expectation.ts';
import { measureDurations } from './durations.ts';
import { recogniseFailure } from './failure.ts';
import { proveTrial } from './proofs.ts';
import type { RawEvidence } from './raw-evidence.ts';
import { buildTimeline } from './timeline.ts';
import { buildTraffic } from './traffic.ts';
import type { Proof, Trial } from './trial.ts';

/** What judging needs besides the evidence: what was expected, and where the trial stood in the plan. */
export interface TrialContext extends ArmExpectation {
  /** 0-based block and position of the arm in it. */
  readonly block: number;
  readonly position: number;
  /** ISO 8601, UTC: when the trial was judged first. */
  readonly recordedAt: string;
}

/**
 * Judges one trial: completed (ready, and no claim refuted), invalid (ready, but a claim is refuted), failed or
 * timed out. The same evidence and context always give the same trial. Only a completed one has durations.
 */
export function judgeTrial(raw: RawEvidence, context: TrialContext): Trial {
  const reading = buildTimeline(raw);
  const { traffic, flags: trafficFlags } = buildTraffic(raw, context.image.sizeBytes);
  const proofs = [
    ...proveTrial({ raw, expectation: context, traffic, pulledMessage: reading.pulledMessage }),
  ];
  const flags = [...reading.flags, ...trafficFlags, ...raw.missing.map((what) => `missing: ${what}`)];
  const common = {
    schemaVersion: 1 as const,
    id: raw.trial,
    arm: raw.arm,
    node: raw.node,
    block: context.block,
    position: context.position,
    image: context.image.reference,
    recordedAt: context.recordedAt,
    timeline: reading.timeline,
    traffic,
    proofs,
    flags,
  };
  switch (raw.end.kind) {
    case 'interrupted':
      return {
        ...common,
        outcome: 'failed',
        reason: 'Interrupted',
        message: 'the run was interrupted during this trial',
      };
    case 'failed': {
      const hint = raw.end.hint ?? recogniseFailure(raw)?.hint;
      return {
        ...common,
        outcome: 'failed',
        reason: raw.end.reason,
        message: raw.end.message,
        ...(hint === undefined ? {} : { hint }),
      };
    }
    case 'timed-out': {
      const failure = recogniseFailure(raw);
      const known = failure === undefined ? [] : [`${failure.reason}: ${failure.message} ${failure.hint}`];
      return { ...common, flags: [...flags, ...known], outcome: 'timed-out', afterMs: raw.end.afterMs };
    }
    case 'ready': {
      const because = proofs.filter(({ verdict }) => verdict === 'refuted');
      if (because.length > 0) return { ...common, outcome: 'invalid', because };
      const { durations, flags: durationFlags } = measureDurations(reading);
      if (durations.timeToReady === undefined) {
        const untimed: Proof = {
          name: 'ready',
          verdict: 'refuted',
          because: 'submit and readiness could not be put on one clock',
        };
        return { ...common, outcome: 'invalid', because: [untimed] };
      }
      return { ...common, flags: [...flags, ...durationFlags], outcome: 'completed', durations };
    }
  }
}
