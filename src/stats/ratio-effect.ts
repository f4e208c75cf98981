import { hodgesLehmann, fewestPairs, type LocationInterval } from './hodges-lehmann.ts';

/** One pair: what the baseline arm and what the other arm measured, in the same unit. */
export type RatioPair = readonly [baseline: number, other: number];

/** Effect as a ratio other ÷ baseline, or why there is none. */
export type RatioEffect =
  | {
      readonly kind: 'estimated';
      readonly ratio: number;
      readonly interval: LocationInterval | undefined;
      readonly logRatios: readonly number[];
      readonly method: string;
    }
  | { readonly kind: 'impossible'; readonly because: string };

/**
 * Typical ratio other ÷ baseline over pairs: Hodges-Lehmann on log-ratios, taken back by exp, so that 2x slower and
 * 2x faster are equally far from 1. A pair with a value that has no logarithm makes the effect impossible rather
 * than smaller: leaving the pair out would choose the data by their outcome.
 */
export function ratioEffect(pairs: readonly RatioPair[], confidence = 0.95): RatioEffect {
  if (pairs.length === 0) return { kind: 'impossible', because: 'there is no pair' };
  const unusable = pairs.filter((pair) => !pair.every((value) => Number.isFinite(value) && value > 0)).length;
  if (unusable > 0) {
    const because = `${String(unusable)} of ${String(pairs.length)} pairs hold a value that is not above zero, so there is no ratio`;
    return { kind: 'impossible', because };
  }
  const logRatios = pairs.map(([baseline, other]) => Math.log(other) - Math.log(baseline));
  const location = hodgesLehmann(logRatios, confidence);
  if (location === undefined) return { kind: 'impossible', because: 'the ratios are not finite' };
  const { interval } = location;
  return {
    kind: 'estimated',
    ratio: Math.exp(location.estimate),
    interval: interval && { ...interval, low: Math.exp(interval.low), high: Math.exp(interval.high) },
    logRatios,
    method:
      interval === undefined
        ? `Hodges-Lehmann on log-ratios; no interval: ${String(pairs.length)} pairs cannot give ${percent(confidence)}, ${String(fewestPairs(confidence))} can`
        : `Hodges-Lehmann on log-ratios with ${interval.method === 'exact' ? 'exact' : 'normal-approximation'} signed-rank interval`,
  };
}

const percent = (share: number): string => `${String(Number((share * 100).toPrecision(4)))} %`;
