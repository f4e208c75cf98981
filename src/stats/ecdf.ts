import { finiteSample } from './finite-sample.ts';
import { ascending } from './quantile.ts';

/** One step of an empirical distribution function: the share of the sample that is <= `value`. */
export interface EcdfStep {
  readonly value: number;
  readonly share: number;
}

/**
 * Empirical distribution function: right-continuous steps, one per distinct value, rising to 1. Empty for an empty
 * or non-finite sample.
 */
export function ecdf(values: readonly number[]): readonly EcdfStep[] {
  const sample = finiteSample(values);
  if (sample === undefined) return [];
  const sorted = [...sample].sort(ascending);
  const last = (value: number, index: number): boolean => sorted[index + 1] !== value;
  return sorted.flatMap((value, index) =>
    last(value, index) ? [{ value, share: (index + 1) / sorted.length }] : [],
  );
}
