import { ascending } from './quantile.ts';

/**
 * Holm's step-down adjustment (Holm 1979): adjusted p-values in the order given. Rejecting where the adjusted value
 * is <= alpha keeps the chance of any false rejection in the family <= alpha, whatever the dependence between tests.
 */
export function holm(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => ascending(pValues[a] ?? 1, pValues[b] ?? 1));
  const adjusted = pValues.map(() => 1);
  let largest = 0;
  for (const [position, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - position) * (pValues[index] ?? 1)));
    adjusted[index] = largest;
  }
  return adjusted;
}
