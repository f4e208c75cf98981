import type { Comparison, Summary } from '../decision/summary.ts';
import { clip, formatConfidence, formatInterval, formatMetric, formatRatio, notMeasured } from './figures.ts';
import { metricWords } from './words.ts';

/** One comparison, formatted: a line of the verdict table. */
export interface MetricRow {
  readonly metric: Comparison['metric'];
  readonly label: string;
  readonly arm: string;
  readonly baseline: string;
  readonly baselineText: string;
  readonly armText: string;
  readonly ratioText: string;
  readonly intervalText: string;
  /** `95 %`, or undefined where there is no interval. */
  readonly confidenceText: string | undefined;
  readonly pairs: number;
  readonly verdict: Comparison['verdict'];
  readonly because: string;
  readonly method: string | undefined;
}

/** Verdict-table lines in the order of the summary, which is also the order of importance. */
export function metricRows(summary: Summary): readonly MetricRow[] {
  return summary.comparisons.map((comparison) => {
    const { effect } = comparison;
    return {
      metric: comparison.metric,
      label: metricWords[comparison.metric],
      arm: comparison.arm,
      baseline: comparison.baseline,
      baselineText: formatMetric(comparison.baselineSamples?.median, comparison.unit),
      armText: formatMetric(comparison.armSamples?.median, comparison.unit),
      ratioText: effect === undefined ? notMeasured : formatRatio(effect.ratio),
      intervalText: effect === undefined ? '' : formatInterval(effect),
      confidenceText:
        effect?.interval === undefined ? undefined : formatConfidence(effect.interval.confidence),
      pairs: effect?.pairs ?? comparison.pairs.length,
      verdict: comparison.verdict,
      because: clip(comparison.because),
      method: effect?.method,
    };
  });
}

/** The comparison that the report is about: time to ready, or the first one there is. */
export function primaryComparison(summary: Summary, arm?: string): Comparison | undefined {
  const ofArm = summary.comparisons.filter((one) => arm === undefined || one.arm === arm);
  return ofArm.find((one) => one.metric === 'timeToReady') ?? ofArm.find((one) => one.unit === 'ms');
}
