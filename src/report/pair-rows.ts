import type { Effect, Summary } from '../decision/summary.ts';
import type { Trial } from '../evidence/trial.ts';
import { formatDurationMs } from '../units/duration.ts';
import { formatRatio } from './figures.ts';
import { primaryComparison } from './metric-rows.ts';
import { metricWords } from './words.ts';

/** Both arms of one block, in the metric the report is about. */
export interface PairRow {
  readonly block: number;
  readonly node: string;
  /** Place in the run order, from 1. */
  readonly ordinal: number;
  /** Which arm ran first in the block; undefined when the trials do not tell. */
  readonly first: string | undefined;
  readonly baselineMs: number;
  readonly armMs: number;
  readonly baselineText: string;
  readonly armText: string;
  readonly ratio: number;
  readonly ratioText: string;
}

/** All pairs of one arm with the baseline, and the effect they add up to. */
export interface PairSet {
  readonly arm: string;
  readonly baseline: string;
  readonly metricLabel: string;
  readonly effect: Effect | undefined;
  readonly rows: readonly PairRow[];
}

/** Pairs of `arm` with the baseline, in run order; undefined when there is no comparison in time. */
export function pairSet(summary: Summary, trials: readonly Trial[], arm: string): PairSet | undefined {
  const comparison = primaryComparison(summary, arm);
  if (comparison === undefined) return undefined;
  const positions = new Map(
    trials.map((trial) => [JSON.stringify([trial.block, trial.node, trial.arm]), trial.position]),
  );
  const positionOf = (block: number, node: string, name: string): number | undefined =>
    positions.get(JSON.stringify([block, node, name]));
  return {
    arm,
    baseline: comparison.baseline,
    metricLabel: metricWords[comparison.metric],
    effect: comparison.effect,
    rows: comparison.pairs.map(([block, node, baselineMs, armMs], index) => {
      const ofBaseline = positionOf(block, node, comparison.baseline);
      const ofArm = positionOf(block, node, arm);
      // The ratio of one pair is drawn, not judged; every estimate comes from the summary.
      const ratio = armMs / baselineMs;
      return {
        block,
        node,
        ordinal: index + 1,
        first:
          ofBaseline === undefined || ofArm === undefined
            ? undefined
            : ofBaseline < ofArm
              ? comparison.baseline
              : arm,
        baselineMs,
        armMs,
        baselineText: formatDurationMs(baselineMs),
        armText: formatDurationMs(armMs),
        ratio,
        ratioText: Number.isFinite(ratio) ? formatRatio(ratio) : 'not defined',
      };
    }),
  };
}
