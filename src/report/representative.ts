import type { Summary } from '../decision/summary.ts';
import type { CompletedTrial, Trial } from '../evidence/trial.ts';
import { primaryComparison } from './metric-rows.ts';

/** The trials that stand for their arms where one trial is drawn, and why just these. */
export interface Representative {
  readonly trials: readonly CompletedTrial[];
  readonly why: string;
}

const isCompleted = (trial: Trial): trial is CompletedTrial => trial.outcome === 'completed';

/**
 * Picks one completed trial per arm: those of the block whose pair lies nearest to the estimated effect, so that
 * the drawn curves belong together and are neither the best nor the worst. Without pairs, each arm's first.
 */
export function representativeTrials(
  summary: Summary,
  trials: readonly Trial[],
  arms: readonly string[],
): Representative {
  const completed = trials.filter(isCompleted);
  const comparison = primaryComparison(summary);
  const effect = comparison?.effect;
  if (comparison !== undefined && effect !== undefined) {
    const distance = (pair: (typeof comparison.pairs)[number]): number =>
      Math.abs(Math.log(pair[3] / pair[2] / effect.ratio));
    const [nearest] = comparison.pairs.toSorted((a, b) => distance(a) - distance(b));
    if (nearest !== undefined) {
      const [block, node] = nearest;
      const chosen = arms.flatMap(
        (arm) =>
          completed.find((one) => one.arm === arm && one.block === block && one.node === node) ??
          completed.find((one) => one.arm === arm) ??
          [],
      );
      return {
        trials: chosen,
        why: `block ${String(block + 1)} on ${node}, the pair nearest to the estimated effect`,
      };
    }
  }
  return {
    trials: arms.flatMap((arm) => completed.find((one) => one.arm === arm) ?? []),
    why: 'the first completed trial of each arm',
  };
}
