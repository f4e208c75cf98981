import assert from 'node:assert/strict';
import { describe } from '../../src/stats/describe.ts';
import { ecdf } from '../../src/stats/ecdf.ts';
import { holm } from '../../src/stats/holm.ts';
import { normalCdf, normalQuantile } from '../../src/stats/normal-distribution.ts';
import { quantile } from '../../src/stats/quantile.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { suite } from '../support/suite.ts';

const test = suite('sample descriptions');

test('quantiles are those of R type 7', () => {
  // quantile(c(1, 2, 4, 8, 16), c(.1, .25, .5, .9)) in R
  const sample = [16, 1, 4, 2, 8];
  const expected: [number, number][] = [
    [0, 1],
    [0.1, 1.4],
    [0.25, 2],
    [0.5, 4],
    [0.9, 12.8],
    [1, 16],
  ];
  for (const [p, value] of expected) {
    const found = quantile(sample, p);
    assert.ok(found !== undefined && Math.abs(found - value) < 1e-12, `p = ${String(p)}: ${String(found)}`);
  }
  assert.deepEqual(sample, [16, 1, 4, 2, 8]);
});

test('five numbers describe a sample; an empty one or one with NaN has none', () => {
  assert.deepEqual(describe([4, 1, 3, 2]), { n: 4, min: 1, q1: 1.75, median: 2.5, q3: 3.25, max: 4 });
  assert.equal(describe([]), undefined);
  assert.equal(describe([1, Number.NaN]), undefined);
  assert.equal(quantile([1], 2), undefined);
});

test('the empirical distribution rises by each value’s share and ends at one', () => {
  assert.deepEqual(ecdf([3, 1, 3, 2]), [
    { value: 1, share: 0.25 },
    { value: 2, share: 0.5 },
    { value: 3, share: 1 },
  ]);
  assert.deepEqual(ecdf([Number.NaN]), []);
});

test('Holm multiplies the smallest p-value most and keeps the order', () => {
  const adjusted = holm([0.04, 0.01, 0.03]).map((p) => Number(p.toFixed(6)));
  assert.deepEqual(adjusted, [0.06, 0.03, 0.06]);
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
  assert.deepEqual(holm([]), []);
});

test('the normal distribution has its tabled values and its quantile is the inverse', () => {
  // NIST/SEMATECH and Abramowitz & Stegun, table 26.2.
  assert.ok(Math.abs(normalCdf(1.959963984540054) - 0.975) < 1e-14);
  assert.ok(Math.abs(normalCdf(-1) - 0.158655253931457) < 1e-14);
  assert.ok(Math.abs(normalCdf(-8) / 6.220960574271785e-16 - 1) < 1e-6);
  for (const p of [1e-9, 0.025, 0.5, 0.84, 0.999]) {
    assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-12);
  }
});

test('the same seed draws the same numbers and another seed does not', () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return [random.uniform(), random.normal(), random.integer(1, 6)];
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('normal deviates have mean 0 and variance 1', () => {
  const random = seededRandom(1);
  const values = Array.from({ length: 20_000 }, () => random.normal());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05);
});
