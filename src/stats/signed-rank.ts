import { normalCdf } from './normal-distribution.ts';
import { ascending } from './quantile.ts';

/** Up to this many pairs the null distribution is enumerated; above, its normal approximation is used. */
export const exactSignedRankLimit = 60;

/**
 * Null distribution of the signed-rank statistic V (sum of the ranks of positive differences) for given ranks:
 * element `v` is P(scale x V = v), where `scale` is 2 when there are half ranks. Every rank goes to V or not with
 * probability 1/2, so the distribution is built one rank at a time (dynamic programming; Hollander, Wolfe & Chicken,
 * "Nonparametric Statistical Methods", 3rd ed. 2014, §3.1). With tied differences the ranks are midranks, and the
 * result is the exact distribution given those ties.
 */
export function signedRankDistribution(ranks: readonly number[]): SignedRankDistribution {
  const scale = ranks.every(Number.isInteger) ? 1 : 2;
  let probabilities = new Float64Array([1]);
  for (const rank of ranks) {
    const step = rank * scale;
    const next = new Float64Array(probabilities.length + step);
    for (const [v, probability] of probabilities.entries()) {
      next[v] = (next[v] ?? 0) + probability / 2;
      next[v + step] = (next[v + step] ?? 0) + probability / 2;
    }
    probabilities = next;
  }
  return { scale, probabilities };
}

/** P(V = v) at index `scale * v`. */
export interface SignedRankDistribution {
  readonly scale: 1 | 2;
  readonly probabilities: Float64Array;
}

/** P(V <= v). */
export function atMost(distribution: SignedRankDistribution, v: number): number {
  const end = Math.floor(v * distribution.scale + 1e-9) + 1;
  return distribution.probabilities.subarray(0, Math.max(0, end)).reduce((sum, p) => sum + p, 0);
}

/** Where the differences lie under the alternative hypothesis, seen from zero. */
export type Alternative = 'two-sided' | 'less' | 'greater';

/** Result of a Wilcoxon signed-rank test. */
export interface SignedRankTest {
  /** Sum of the ranks of the positive differences (R calls it V). */
  readonly v: number;
  /** Differences that counted: the non-zero ones. */
  readonly n: number;
  readonly zeros: number;
  readonly pValue: number;
  readonly method: 'exact' | 'normal';
}

/**
 * Wilcoxon signed-rank test that differences are symmetric about zero (Wilcoxon 1945). Zeros are dropped
 * (Wilcoxon's convention); tied absolute values share their mean rank, and the exact distribution takes the ties
 * into account. Above {@link exactSignedRankLimit} the normal approximation with tie and continuity correction.
 * With no non-zero difference the p-value is 1: nothing speaks against symmetry about zero.
 */
export function signedRankTest(differences: readonly number[], alternative: Alternative): SignedRankTest {
  const nonZero = differences.filter((difference) => difference !== 0);
  const ranks = midranks(nonZero.map(Math.abs));
  const v = ranks.reduce((sum, rank, index) => ((nonZero[index] ?? 0) > 0 ? sum + rank : sum), 0);
  const n = nonZero.length;
  const [lower, upper] = n <= exactSignedRankLimit ? exactTails(ranks, v) : normalTails(ranks, v);
  const pValue = { less: lower, greater: upper, 'two-sided': Math.min(1, 2 * Math.min(lower, upper)) }[
    alternative
  ];
  return {
    v,
    n,
    zeros: differences.length - n,
    pValue,
    method: n <= exactSignedRankLimit ? 'exact' : 'normal',
  };
}

/** Ranks 1..n in the order of `values`; equal values share the mean of their ranks. */
export function midranks(values: readonly number[]): readonly number[] {
  const sorted = [...values].sort(ascending);
  const rankOf = new Map<number, number>();
  for (let first = 0; first < sorted.length;) {
    let next = first + 1;
    while (next < sorted.length && sorted[next] === sorted[first]) next += 1;
    rankOf.set(sorted[first] ?? 0, (first + 1 + next) / 2);
    first = next;
  }
  return values.map((value) => rankOf.get(value) ?? 0);
}

const exactTails = (ranks: readonly number[], v: number): readonly [number, number] => {
  const distribution = signedRankDistribution(ranks);
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  // V and total - V have the same distribution: the upper tail is a lower one, without cancellation.
  return [Math.min(1, atMost(distribution, v)), Math.min(1, atMost(distribution, total - v))];
};

const normalTails = (ranks: readonly number[], v: number): readonly [number, number] => {
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / 2;
  const deviation = Math.sqrt(ranks.reduce((sum, rank) => sum + rank * rank, 0) / 4);
  return [normalCdf((v - mean + 0.5) / deviation), normalCdf((mean - v + 0.5) / deviation)];
};
