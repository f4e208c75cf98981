/**
 * Depression scale factors of nine patients before and after treatment: Hollander & Wolfe, "Nonparametric
 * Statistical Methods" (1973), p. 29; the data of R's `example(wilcox.test)`.
 */
export const depression: readonly (readonly [before: number, after: number])[] = [
  [1.83, 0.878],
  [0.5, 0.647],
  [1.62, 0.598],
  [2.48, 2.05],
  [1.68, 1.06],
  [1.88, 1.29],
  [1.55, 1.06],
  [3.06, 3.14],
  [1.3, 1.29],
];
