import type { Trial } from '../evidence/trial.ts';
import { describe } from '../stats/describe.ts';
import { ratioDecisionPValue } from '../stats/ratio-decision.ts';
import { ratioEffect, type RatioEffect } from '../stats/ratio-effect.ts';
import { pairValues, type ComparedMetric, type PairedValue, type PairedValues } from './paired-values.ts';
import type { Comparison } from './summary.ts';
import { verdictOf, type RatioInterval } from './verdict.ts';

/** A comparison before correction for testing several. */
export interface RawComparison {
  readonly comparison: Comparison;
  /** Smallest alpha at which it decides; undefined where nothing could be tested. */
  readonly pValue: number | undefined;
}

/** Two arms, the metric, the relative margin and the confidence. */
export interface ComparisonRequest {
  readonly baseline: string;
  readonly arm: string;
  readonly metric: ComparedMetric;
  readonly margin: number;
  readonly confidence: number;
}

/**
 * Compares one metric of two arms over their pairs. The verdict also has to survive the worst that the clocks can
 * have done to every pair: where values moved by their error bounds would say something else, it is inconclusive.
 */
export function compareArms(trials: readonly Trial[], request: ComparisonRequest): RawComparison {
  const values = pairValues(trials, request.baseline, request.arm, request.metric);
  const { pairs } = values;
  const effect = ratioEffect(
    pairs.map(({ baseline, other }) => [baseline, other]),
    request.confidence,
  );
  const unit = unitOf(request.metric);
  const judged = judge(effect, pairs, unit, request);
  const baselineSamples = describe(pairs.map(({ baseline }) => baseline));
  const armSamples = describe(pairs.map(({ other }) => other));
  return {
    pValue:
      effect.kind === 'estimated' && effect.interval !== undefined
        ? ratioDecisionPValue(effect.logRatios, request.margin)
        : undefined,
    comparison: {
      arm: request.arm,
      baseline: request.baseline,
      metric: request.metric,
      unit,
      verdict: judged.verdict,
      because: `${judged.because}${leftOut(values)}`,
      ...(effect.kind === 'estimated' ? { effect: published(effect, pairs.length) } : {}),
      ...(baselineSamples === undefined ? {} : { baselineSamples }),
      ...(armSamples === undefined ? {} : { armSamples }),
      pairs: pairs.map(({ block, node, baseline, other }) => [block, node, baseline, other]),
    },
  };
}

type Judgement = Pick<Comparison, 'verdict' | 'because'>;

const judge = (
  effect: RatioEffect,
  pairs: readonly PairedValue[],
  unit: Comparison['unit'],
  { margin, confidence }: ComparisonRequest,
): Judgement => {
  if (effect.kind === 'impossible') return inconclusive(effect.because);
  const { interval, logRatios } = effect;
  if (interval === undefined) return inconclusive(effect.method);
  // Counts may repeat exactly; times have nanoseconds and never do, unless something else made them.
  if (unit === 'ms' && logRatios.every((value) => value === logRatios[0]))
    return inconclusive('every pair has exactly the same ratio, which measured times never have');
  const verdict = verdictOf(interval, margin);
  const edges = `${figure(interval.low)} to ${figure(interval.high)}`;
  if (verdict !== 'inconclusive' && verdictOf(worstInterval(pairs, confidence), margin) !== verdict)
    return inconclusive(`the interval ${edges} is not wider than what the clocks may be wrong by`);
  const because = {
    faster: `the whole interval ${edges} lies below 1`,
    slower: `the whole interval ${edges} lies above 1`,
    equivalent: `the whole interval ${edges} lies within ${percent(margin)} of 1`,
    inconclusive: `the interval ${edges} holds 1 and reaches beyond ${percent(margin)}`,
  }[verdict];
  return { verdict, because };
};

/** Interval when every value is off by its bound in the direction that hurts most; unbounded where that is no time. */
const worstInterval = (pairs: readonly PairedValue[], confidence: number): RatioInterval => {
  const least = ratioEffect(
    pairs.map((pair) => [pair.baseline + pair.baselineError, pair.other - pair.otherError]),
    confidence,
  );
  const most = ratioEffect(
    pairs.map((pair) => [pair.baseline - pair.baselineError, pair.other + pair.otherError]),
    confidence,
  );
  return {
    low: (least.kind === 'estimated' ? least.interval?.low : undefined) ?? 0,
    high: (most.kind === 'estimated' ? most.interval?.high : undefined) ?? Infinity,
  };
};

const published = (
  effect: Extract<RatioEffect, { kind: 'estimated' }>,
  pairs: number,
): NonNullable<Comparison['effect']> => ({
  ratio: effect.ratio,
  ...(effect.interval === undefined
    ? {}
    : {
        interval: {
          low: effect.interval.low,
          high: effect.interval.high,
          confidence: effect.interval.confidence,
        },
      }),
  pairs,
  method: effect.method,
});

const leftOut = ({ unmeasured, unlike }: PairedValues): string => {
  const parts = [
    ...(unmeasured > 0 ? [`${String(unmeasured)} without a value in both arms`] : []),
    ...(unlike > 0 ? [`${String(unlike)} measured by different sources`] : []),
  ];
  return parts.length === 0 ? '' : ` (left out: ${parts.join(', ')})`;
};

const unitOf = (metric: ComparedMetric): Comparison['unit'] =>
  metric === 'requestsAtEnd'
    ? 'requests'
    : metric === 'bytesAtReady' || metric === 'bytesAtEnd'
      ? 'bytes'
      : 'ms';

const inconclusive = (because: string): Judgement => ({ verdict: 'inconclusive', because });
const percent = (share: number): string => `${String(Number((share * 100).toPrecision(3)))} %`;

/** A ratio for people: three significant digits. */
export const figure = (ratio: number): string => String(Number(ratio.toPrecision(3)));
