import { trafficClasses } from '../evidence/raw-evidence.ts';
import type { CompletedTrial } from '../evidence/trial.ts';
import { formatBytes } from '../units/size.ts';
import { formatCount, notMeasured } from './figures.ts';
import { classWords } from './words.ts';

/** Bytes and requests of one class in the representative trial of each arm. */
export interface ClassRow {
  readonly label: string;
  /** One cell per arm, in the order of the arms. */
  readonly cells: readonly {
    readonly arm: string;
    readonly bytesText: string;
    readonly requestsText: string;
  }[];
}

/** What one source counted in the representative trial of one arm. */
export interface SourceRow {
  readonly arm: string;
  readonly source: string;
  readonly atReadyText: string;
  readonly atEndText: string;
  readonly requestsText: string;
  readonly prefetchText: string;
}

/** Traffic by class, arms side by side; classes that no arm used are left out. */
export function classRows(trials: readonly CompletedTrial[]): readonly ClassRow[] {
  return trafficClasses.flatMap((name) =>
    [false, true].flatMap((prefetch) => {
      const cells = trials.map((trial) => {
        const found = trial.traffic.byClass.find((one) => one.class === name && one.prefetch === prefetch);
        return {
          arm: trial.arm,
          bytesText: found === undefined ? notMeasured : formatBytes(found.bytes),
          requestsText: found === undefined ? notMeasured : formatCount(found.requests),
        };
      });
      if (cells.every((cell) => cell.bytesText === notMeasured)) return [];
      const label = name === 'chunk' ? `Chunk, ${prefetch ? 'prefetch' : 'on demand'}` : classWords[name];
      return [{ label: prefetch && name !== 'chunk' ? `${label}, prefetch` : label, cells }];
    }),
  );
}

/** Traffic as each source counted it, so that a reader can compare them. */
export function sourceRows(trials: readonly CompletedTrial[]): readonly SourceRow[] {
  return trials.flatMap((trial) => {
    const sources = [...new Set(trial.traffic.bySource.map((entry) => entry.source))];
    return sources.map((source) => {
      const at = (mark: string): CompletedTrial['traffic']['bySource'][number] | undefined =>
        trial.traffic.bySource.find((entry) => entry.source === source && entry.mark === mark);
      const end = at('end');
      const ready = at('ready');
      return {
        arm: trial.arm,
        source,
        atReadyText: ready === undefined ? notMeasured : formatBytes(ready.bytes),
        atEndText: end === undefined ? notMeasured : formatBytes(end.bytes),
        requestsText: end?.requests === undefined ? notMeasured : formatCount(end.requests),
        prefetchText: end?.prefetchBytes === undefined ? notMeasured : formatBytes(end.prefetchBytes),
      };
    });
  });
}
