import { quantileSorted } from 'simple-statistics';
import { finiteSample } from './finite-sample.ts';

/** Comparator for numeric order. */
export const ascending = (a: number, b: number): number => a - b;

/**
 * Quantile `p` (0..1) of a sample, linear between order statistics: type 7 of Hyndman & Fan, "Sample quantiles in
 * statistical packages" (1996), the default of R and NumPy. Undefined for an empty or non-finite sample.
 */
export function quantile(values: readonly number[], p: number): number | undefined {
  const sample = finiteSample(values);
  return sample === undefined || !(p >= 0 && p <= 1)
    ? undefined
    : quantileSorted([...sample].sort(ascending), p);
}
