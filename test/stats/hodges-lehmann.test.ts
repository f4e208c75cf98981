import assert from 'node:assert/strict';
import process from 'node:process';
import fc from 'fast-check';
import { fewestPairs, hodgesLehmann } from '../../src/stats/hodges-lehmann.ts';
import { signedRankTest } from '../../src/stats/signed-rank.ts';
import { kthWalshAverage, walshCount } from '../../src/stats/walsh-averages.ts';
import { depression } from './depression-scores.ts';
import { suite } from '../support/suite.ts';

const test = suite('Hodges-Lehmann');

const walshAverages = (values: readonly number[]): number[] =>
  values.flatMap((a, i) => values.slice(i).map((b) => (a + b) / 2)).sort((a, b) => a - b);

const samples = fc.array(fc.double({ min: -1000, max: 1000, noNaN: true }), { minLength: 1, maxLength: 14 });
const near = (a: number, b: number, scale = 1): void =>
  assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(scale)), `${String(a)} is not ${String(b)}`);

test('gives the published estimate and interval for the depression scores', () => {
  // Hollander & Wolfe, examples 3.3 and 3.4: estimate -0.46, 96.1 % interval (-0.786, -0.010).
  const result = hodgesLehmann(depression.map(([before, after]) => after - before));
  assert.ok(result?.interval !== undefined);
  near(result.estimate, -0.46);
  near(result.interval.low, -0.786);
  near(result.interval.high, -0.01);
  assert.equal(result.interval.confidence.toFixed(3), '0.961');
  assert.equal(result.interval.method, 'exact');
});

test('finds every Walsh average that listing them all finds', () => {
  fc.assert(
    fc.property(samples, (sample) => {
      const values = sample.toSorted((a, b) => a - b);
      for (const [index, expected] of walshAverages(values).entries())
        near(kthWalshAverage(values, index + 1), expected, 1000);
    }),
    { numRuns: 100, seed: 2 },
  );
});

test('finds Walsh averages among ties exactly', () => {
  const values = [-3, 0, 0, 0, 3, 3];
  assert.deepEqual(
    Array.from({ length: walshCount(values.length) }, (_, i) => kthWalshAverage(values, i + 1)),
    walshAverages(values),
  );
});

test('has no 95 % interval for five values and one of 96.875 % for six', () => {
  assert.equal(hodgesLehmann([1, 2, 3, 4, 5])?.interval, undefined);
  assert.equal(hodgesLehmann([1, 2, 3, 4, 5])?.estimate, 3);
  assert.deepEqual(hodgesLehmann([1, 2, 3, 4, 5, 6])?.interval, {
    low: 1,
    high: 6,
    confidence: 0.96875,
    method: 'exact',
  });
  assert.equal(fewestPairs(0.95), 6);
  assert.equal(fewestPairs(0.99), 8);
});

test('has an interval that holds exactly the centres which the test does not reject', () => {
  const values = [0.3, -1.1, 2.7, 1.9, 4.2, 0.8, 3.3, 2.2];
  const interval = hodgesLehmann(values)?.interval;
  assert.ok(interval !== undefined);
  const pValueAt = (centre: number): number =>
    signedRankTest(
      values.map((value) => value - centre),
      'two-sided',
    ).pValue;
  assert.ok(pValueAt(interval.low + 1e-6) > 0.05);
  assert.ok(pValueAt(interval.high - 1e-6) > 0.05);
  assert.ok(pValueAt(interval.low - 1e-6) <= 0.05);
  assert.ok(pValueAt(interval.high + 1e-6) <= 0.05);
});

test('moves with a shift, stretches with a scale, flips with the sign, and ignores order', () => {
  const shift = fc.double({ min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(samples, shift, fc.double({ min: 0.1, max: 10, noNaN: true }), (values, by, factor) => {
      const result = hodgesLehmann(values);
      assert.ok(result !== undefined);
      const moved = hodgesLehmann(values.map((value) => -(value + by) * factor).reverse());
      assert.ok(moved !== undefined);
      near(moved.estimate, -(result.estimate + by) * factor, 20_000);
      assert.equal(moved.interval === undefined, result.interval === undefined);
      if (moved.interval === undefined || result.interval === undefined) return;
      near(moved.interval.low, -(result.interval.high + by) * factor, 20_000);
      near(moved.interval.high, -(result.interval.low + by) * factor, 20_000);
      assert.ok(result.interval.low <= result.estimate && result.estimate <= result.interval.high);
    }),
    { numRuns: 200, seed: 3 },
  );
});

test('refuses an empty sample and one that holds NaN or infinity', () => {
  for (const values of [[], [1, Number.NaN], [1, Infinity]]) assert.equal(hodgesLehmann(values), undefined);
});

test('answers for fifty thousand differences in seconds of processor time', () => {
  const values = Array.from({ length: 50_000 }, (_, i) => Math.sin(i) + 0.25);
  const before = process.cpuUsage();
  const result = hodgesLehmann(values);
  const { user } = process.cpuUsage(before);
  assert.ok(result?.interval !== undefined && result.interval.low < 0.25 && result.interval.high > 0.25);
  assert.equal(result.interval.method, 'normal');
  assert.ok(user < 2_000_000, `${String(user / 1000)} ms`);
});
