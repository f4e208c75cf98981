/** A linear axis from 0 (or `min`) to a round number, mapped to a range of pixels. */
export interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** Axis that holds all values, with about `count` round ticks (steps of 1, 2 or 5 times a power of ten). */
export function linearScale(
  values: readonly number[],
  [from, to]: readonly [number, number],
  { count = 5, min = 0 }: { readonly count?: number; readonly min?: number } = {},
): Scale {
  let max = min;
  for (const value of values) if (Number.isFinite(value) && value > max) max = value;
  if (max === min) max = min + 1;
  const rough = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const steps = Math.max(1, Math.ceil((max - min) / step - 1e-9));
  const top = min + steps * step;
  return {
    ticks: Array.from({ length: steps + 1 }, (_tick, k) => Number((min + k * step).toPrecision(12))),
    at: (value) => from + ((value - min) / (top - min)) * (to - from),
  };
}

/** Pixels with one decimal, as SVG needs no more. */
export function px(value: number): string {
  return value.toFixed(1);
}
