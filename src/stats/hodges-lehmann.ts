import { finiteSample } from './finite-sample.ts';
import { normalQuantile } from './normal-distribution.ts';
import { ascending } from './quantile.ts';
import { atMost, exactSignedRankLimit, signedRankDistribution } from './signed-rank.ts';
import { kthWalshAverage, walshCount } from './walsh-averages.ts';

/** A point estimate with the interval that goes with it. */
export interface LocationEstimate {
  readonly estimate: number;
  /** Absent when no interval of this sample reaches the wanted confidence. */
  readonly interval: LocationInterval | undefined;
  readonly n: number;
}

/** Closed interval; `confidence` is what it really has, at least what was asked for. */
export interface LocationInterval {
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
  readonly method: 'exact' | 'normal';
}

/**
 * Hodges-Lehmann estimate of the centre of symmetric differences: the median of the Walsh averages (Hodges &
 * Lehmann 1963), with the interval that inverts the signed-rank test (Tukey 1949; Hollander, Wolfe & Chicken 2014,
 * §3.2-3.3): its ends are the k-th smallest and k-th largest Walsh averages. Assumes independent differences that are
 * symmetric about their centre. Zeros and ties stay in; the interval is closed, so they can only raise its coverage
 * (Pratt & Gibbons 1981, ch. 3).
 *
 * The widest interval, from the smallest to the largest difference, has confidence 1 - 2^(1-n). So five differences
 * reach 93.75 % at most and cannot give a 95 % interval; six give 96.9 %.
 */
export function hodgesLehmann(
  differences: readonly number[],
  confidence = 0.95,
): LocationEstimate | undefined {
  if (finiteSample(differences) === undefined) return undefined;
  const sample = [...differences].sort(ascending);
  const count = walshCount(sample.length);
  const middle = (count + 1) / 2;
  return {
    estimate: (kthWalshAverage(sample, Math.floor(middle)) + kthWalshAverage(sample, Math.ceil(middle))) / 2,
    interval: signedRankInterval(sample, confidence),
    n: sample.length,
  };
}

/** Fewest differences that can give an exact signed-rank interval of this confidence. */
export const fewestPairs = (confidence: number): number => Math.ceil(1 - Math.log2(1 - confidence));

const signedRankInterval = (sample: readonly number[], confidence: number): LocationInterval | undefined => {
  const cut =
    sample.length <= exactSignedRankLimit
      ? exactCut(sample.length, 1 - confidence)
      : normalCut(sample.length, 1 - confidence);
  if (cut === undefined) return undefined;
  return {
    low: kthWalshAverage(sample, cut.k),
    high: kthWalshAverage(sample, walshCount(sample.length) + 1 - cut.k),
    confidence: cut.confidence,
    method: cut.method,
  };
};

interface Cut {
  readonly k: number;
  readonly confidence: number;
  readonly method: 'exact' | 'normal';
}

/** Largest k with P(V <= k - 1) <= alpha / 2: the open ends then leave out at most alpha. */
const exactCut = (n: number, alpha: number): Cut | undefined => {
  const distribution = signedRankDistribution(Array.from({ length: n }, (_, index) => index + 1));
  let k = 0;
  while (atMost(distribution, k) <= alpha / 2) k += 1;
  return k === 0 ? undefined : { k, confidence: 1 - 2 * atMost(distribution, k - 1), method: 'exact' };
};

const normalCut = (n: number, alpha: number): Cut => {
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
  const k = Math.floor(walshCount(n) / 2 + normalQuantile(alpha / 2) * deviation);
  return { k: Math.max(1, k), confidence: 1 - alpha, method: 'normal' };
};
