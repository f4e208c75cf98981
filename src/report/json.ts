import type { Comparison, Summary } from '../decision/summary.ts';
import { createRedactor } from './redact.ts';

/** What `--format json` prints: stable, versioned, and independent of the files' own schema. */
export interface PublishedSummary {
  readonly schemaVersion: 1;
  readonly run: string;
  readonly scenario: string;
  readonly sentence: string;
  readonly standing: Summary['standing'];
  readonly statements: readonly string[];
  readonly comparisons: readonly PublishedComparison[];
  readonly trials: Summary['counts'];
  readonly proofs: Summary['proofs'];
}

/** One comparison as published. Absent fields were not measured. */
export interface PublishedComparison {
  readonly metric: Comparison['metric'];
  readonly unit: Comparison['unit'];
  readonly arm: string;
  readonly baseline: string;
  readonly verdict: Comparison['verdict'];
  readonly because: string;
  readonly pairs: number;
  readonly ratio?: number;
  readonly interval?: { readonly low: number; readonly high: number; readonly confidence: number };
  readonly baselineMedian?: number;
  readonly armMedian?: number;
}

/** Maps a summary to its published form. */
export function publishedSummary(summary: Summary): PublishedSummary {
  return {
    schemaVersion: 1,
    run: summary.runId,
    scenario: summary.scenarioName,
    sentence: summary.sentence,
    standing: summary.standing,
    statements: summary.statements,
    comparisons: summary.comparisons.map(({ effect, baselineSamples, armSamples, ...one }) => ({
      metric: one.metric,
      unit: one.unit,
      arm: one.arm,
      baseline: one.baseline,
      verdict: one.verdict,
      because: one.because,
      pairs: one.pairs.length,
      ...(effect === undefined ? {} : { ratio: effect.ratio }),
      ...(effect?.interval === undefined ? {} : { interval: effect.interval }),
      ...(baselineSamples === undefined ? {} : { baselineMedian: baselineSamples.median }),
      ...(armSamples === undefined ? {} : { armMedian: armSamples.median }),
    })),
    trials: summary.counts,
    proofs: summary.proofs,
  };
}

/** The published summary as indented JSON, redacted like every other output. */
export function renderJson(summary: Summary): string {
  return `${JSON.stringify(createRedactor().json(publishedSummary(summary)), null, 2)}\n`;
}
