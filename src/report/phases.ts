import { phaseNames, type DurationName, type PhaseName, type Trial } from '../evidence/trial.ts';
import { describe } from '../stats/describe.ts';
import { formatDurationMs } from '../units/duration.ts';
import type { ArmModel } from './arms.ts';
import { notMeasured } from './figures.ts';
import { phaseWords } from './words.ts';

/** Median of one phase in one arm. */
export interface PhaseValue {
  readonly phase: PhaseName;
  readonly label: string;
  readonly medianMs: number | undefined;
  readonly text: string;
}

/** All phases of one arm, and the median of its total (which medians of parts need not add up to). */
export interface PhaseRow {
  readonly arm: string;
  readonly values: readonly PhaseValue[];
  readonly totalMs: number | undefined;
  readonly totalText: string;
}

/** Medians of every phase over the completed trials of each arm. */
export function phaseRows(trials: readonly Trial[], arms: readonly ArmModel[]): readonly PhaseRow[] {
  return arms.flatMap((arm) => {
    const values = phaseNames.map((phase) => {
      const medianMs = medianMsOf(trials, arm.name, phase);
      return {
        phase,
        label: phaseWords[phase].label,
        medianMs,
        text: medianMs === undefined ? notMeasured : formatDurationMs(medianMs),
      };
    });
    const totalMs = medianMsOf(trials, arm.name, 'timeToReady');
    if (totalMs === undefined && values.every((value) => value.medianMs === undefined)) return [];
    const totalText = totalMs === undefined ? notMeasured : formatDurationMs(totalMs);
    return [{ arm: arm.name, values, totalMs, totalText }];
  });
}

function medianMsOf(trials: readonly Trial[], arm: string, name: DurationName): number | undefined {
  return describe(
    trials.flatMap((trial) => {
      const measured = trial.arm === arm && trial.outcome === 'completed' ? trial.durations[name] : undefined;
      return measured === undefined ? [] : [measured.durationMs];
    }),
  )?.median;
}
