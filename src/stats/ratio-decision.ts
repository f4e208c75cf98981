import { signedRankTest } from './signed-rank.ts';

/**
 * Smallest alpha at which paired log-ratios decide something: that the ratio is not 1 (two-sided signed-rank test), or
 * that it lies within the margin (two one-sided tests, doubled so that alpha belongs to the same two-sided 1 - alpha
 * interval; Schuirmann 1987, Hauschke et al. 1990 with signed ranks). At most one of the two null hypotheses can be
 * true, so taking the smaller p-value needs no further correction. `margin` is relative: 0.05 = 1/1.05 to 1.05.
 */
export function ratioDecisionPValue(logRatios: readonly number[], margin: number): number {
  const edge = Math.log1p(margin);
  const difference = signedRankTest(logRatios, 'two-sided').pValue;
  const belowUpper = signedRankTest(
    logRatios.map((value) => value - edge),
    'less',
  ).pValue;
  const aboveLower = signedRankTest(
    logRatios.map((value) => value + edge),
    'greater',
  ).pValue;
  return Math.min(1, difference, 2 * Math.max(belowUpper, aboveLower));
}
