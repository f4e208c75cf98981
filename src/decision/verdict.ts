import type { Comparison } from './summary.ts';

/** One of the four things that can be said. */
export type VerdictKind = Comparison['verdict'];

/** Ends of an interval of a ratio other ÷ baseline. */
export interface RatioInterval {
  readonly low: number;
  readonly high: number;
}

/**
 * Verdict from an interval of the ratio alone. Inside the margin (1/(1+m) to 1+m) it is `equivalent`, even when it
 * excludes 1: a difference too small to matter. Else it is decided when it excludes 1. `faster` also means fewer.
 */
export function verdictOf({ low, high }: RatioInterval, margin: number): VerdictKind {
  if (low >= 1 / (1 + margin) && high <= 1 + margin) return 'equivalent';
  if (high < 1) return 'faster';
  if (low > 1) return 'slower';
  return 'inconclusive';
}
