import { movedBytes } from '../evidence/moved-bytes.ts';
import { phaseNames, type DurationName, type Trial } from '../evidence/trial.ts';
import { formatDurationMs } from '../units/duration.ts';
import { formatBytes } from '../units/size.ts';
import { clip, notMeasured } from './figures.ts';
import { metricWords, phaseWords } from './words.ts';

/** A duration as the raw table shows it. */
export interface DurationCell {
  readonly name: DurationName;
  readonly text: string;
  /** `± 1.20 ms`; undefined when not measured. */
  readonly errorText: string | undefined;
  /** Source letters of both ends, e.g. `AD`. */
  readonly sources: string | undefined;
}

/** One line of the raw table. */
export interface TrialRow {
  readonly id: string;
  readonly arm: string;
  readonly block: number;
  readonly position: number;
  readonly node: string;
  readonly outcome: Trial['outcome'];
  readonly durations: readonly DurationCell[];
  readonly bytesAtReadyText: string;
  readonly flags: readonly string[];
}

/** Columns of the raw table: the total first, then the phases that tile it. */
export const rawColumns: readonly { readonly name: DurationName; readonly label: string }[] = [
  { name: 'timeToReady', label: metricWords.timeToReady },
  ...phaseNames.map((name) => ({ name, label: phaseWords[name].label })),
];

/** Every trial in run order, the ones that were not timed included. */
export function trialRows(trials: readonly Trial[]): readonly TrialRow[] {
  return trials.map((trial) => {
    const moved = movedBytes(trial.traffic, 'ready');
    return {
      id: trial.id,
      arm: trial.arm,
      block: trial.block,
      position: trial.position,
      node: trial.node,
      outcome: trial.outcome,
      durations: rawColumns.map(({ name }) => durationCell(trial, name)),
      bytesAtReadyText:
        moved === undefined ? notMeasured : `${formatBytes(moved.bytes)} (${moved.countedBy})`,
      flags: trial.flags.map((flag) => clip(flag)),
    };
  });
}

function durationCell(trial: Trial, name: DurationName): DurationCell {
  const measured = trial.outcome === 'completed' ? trial.durations[name] : undefined;
  return measured === undefined
    ? { name, text: notMeasured, errorText: undefined, sources: undefined }
    : {
        name,
        text: formatDurationMs(measured.durationMs),
        errorText: `± ${formatDurationMs(measured.errorMs)}`,
        sources: measured.sources,
      };
}
