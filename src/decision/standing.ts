import type { RunEnd } from '../results/run-record.ts';
import type { Summary } from './summary.ts';

/** What a standing is decided on. */
export interface StandingGrounds {
  readonly counts: Summary['counts'];
  readonly comparisons: Summary['comparisons'];
  readonly plannedTrials: number;
  /** How the run ended; undefined when it still runs, or crashed. */
  readonly end: RunEnd | undefined;
}

/**
 * Whether a run can be trusted, and if not, its gravest defect: `invalid` (an arm has at least as many invalid as
 * completed trials), `incomplete` (an arm without a completed trial, or a run that did not come to its own end),
 * `inconclusive` (time to ready undecided for some arm).
 */
export function standingOf({
  counts,
  comparisons,
  plannedTrials,
  end,
}: StandingGrounds): Summary['standing'] {
  if (counts.some(({ completed, invalid }) => invalid > 0 && invalid >= completed)) return 'invalid';
  const recorded = counts.reduce(
    (sum, { completed, failed, timedOut, invalid }) => sum + completed + failed + timedOut + invalid,
    0,
  );
  const ranToItsEnd =
    end === undefined ? recorded >= plannedTrials : end.how === 'completed' || end.how === 'stopped-early';
  if (!ranToItsEnd || counts.some(({ completed }) => completed === 0)) return 'incomplete';
  const headlines = comparisons.filter(({ metric }) => metric === 'timeToReady');
  return headlines.length === 0 || headlines.some(({ verdict }) => verdict === 'inconclusive')
    ? 'inconclusive'
    : 'ok';
}
