import { holm } from '../stats/holm.ts';
import type { RawComparison } from './compare-arms.ts';
import type { Comparison } from './summary.ts';

/**
 * Corrects the verdicts of one family of comparisons after Holm, so that the chance of any wrong decided verdict in
 * it stays below `alpha`. Intervals are left as they are: each is right on its own. Two families are used:
 *
 * * the headline, time to ready, over all arms (with one arm to compare it is one test and nothing changes);
 * * the supporting metrics of all arms together, which explain the headline and never replace it.
 *
 * With six supporting metrics of one arm eight pairs can decide all of them, six pairs none.
 */
export function correctComparisons(family: readonly RawComparison[], alpha: number): readonly Comparison[] {
  const tested = family.filter(({ pValue }) => pValue !== undefined);
  const adjusted = new Map(
    holm(tested.map(({ pValue }) => pValue ?? 1)).map((value, index) => [tested[index], value]),
  );
  return family.map((raw) => {
    const { comparison } = raw;
    const pValue = adjusted.get(raw);
    if (comparison.verdict === 'inconclusive' || pValue === undefined || pValue <= alpha) return comparison;
    return {
      ...comparison,
      verdict: 'inconclusive',
      because: `${comparison.because}, but among ${String(tested.length)} comparisons that can be chance (Holm-adjusted p = ${pValue.toPrecision(2)}): more pairs would tell`,
    };
  });
}
