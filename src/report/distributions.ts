import type { Description, Summary } from '../decision/summary.ts';
import { durationNames, type Trial } from '../evidence/trial.ts';
import { describe } from '../stats/describe.ts';
import { formatDurationMs } from '../units/duration.ts';
import type { ArmModel } from './arms.ts';
import { primaryComparison } from './metric-rows.ts';
import { metricWords } from './words.ts';

/** How the samples of one arm lie. */
export interface Distribution {
  readonly arm: string;
  readonly metricLabel: string;
  readonly box: Description;
  readonly boxText: Readonly<Record<'min' | 'q1' | 'median' | 'q3' | 'max', string>>;
  /** Every completed trial, in run order. */
  readonly samples: readonly { readonly trial: string; readonly valueMs: number }[];
}

/** Box and points of each arm over its completed trials, in the metric the report is about. */
export function distributions(
  summary: Summary,
  trials: readonly Trial[],
  arms: readonly ArmModel[],
): readonly Distribution[] {
  const metric = primaryComparison(summary)?.metric;
  const name = durationNames.find((one) => one === metric) ?? 'timeToReady';
  return arms.flatMap((arm) => {
    const samples = trials.flatMap((trial) => {
      const measured =
        trial.arm === arm.name && trial.outcome === 'completed' ? trial.durations[name] : undefined;
      return measured === undefined ? [] : [{ trial: trial.id, valueMs: measured.durationMs }];
    });
    const box = describe(samples.map((sample) => sample.valueMs));
    if (box === undefined) return [];
    const { min, q1, median, q3, max } = box;
    return [
      {
        arm: arm.name,
        metricLabel: metricWords[name],
        box,
        boxText: {
          min: formatDurationMs(min),
          q1: formatDurationMs(q1),
          median: formatDurationMs(median),
          q3: formatDurationMs(q3),
          max: formatDurationMs(max),
        },
        samples,
      },
    ];
  });
}
