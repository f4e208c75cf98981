/**
 * A sample that statistics may be computed on: at least one value, all of them finite. Undefined when `values` is
 * anything else, so that a NaN can never reach a number that looks like a result.
 */
export function finiteSample(values: readonly number[]): readonly [number, ...number[]] | undefined {
  const [first, ...rest] = values;
  return first !== undefined && values.every(Number.isFinite) ? [first, ...rest] : undefined;
}
