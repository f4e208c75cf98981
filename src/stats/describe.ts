import { quantileSorted } from 'simple-statistics';
import { finiteSample } from './finite-sample.ts';
import { ascending } from './quantile.ts';

/** Five numbers that describe a sample without assuming a shape; quartiles are type-7 quantiles. */
export interface FiveNumbers {
  readonly n: number;
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly max: number;
}

/** Describes a sample in its own unit. Undefined for an empty or non-finite sample. */
export function describe(values: readonly number[]): FiveNumbers | undefined {
  const sample = finiteSample(values);
  if (sample === undefined) return undefined;
  const sorted = [...sample].sort(ascending);
  const at = (p: number): number => quantileSorted(sorted, p);
  return { n: sorted.length, min: at(0), q1: at(0.25), median: at(0.5), q3: at(0.75), max: at(1) };
}
