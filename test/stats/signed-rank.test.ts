import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  atMost,
  midranks,
  signedRankDistribution,
  signedRankTest,
  type Alternative,
} from '../../src/stats/signed-rank.ts';
import { depression } from './depression-scores.ts';
import { suite } from '../support/suite.ts';

const test = suite('signed rank');

/** P-value by giving every rank every sign: the definition itself. */
function enumerated(differences: readonly number[], alternative: Alternative): number {
  const nonZero = differences.filter((d) => d !== 0);
  const ranks = midranks(nonZero.map(Math.abs));
  const observed = ranks.reduce((sum, rank, i) => sum + ((nonZero[i] ?? 0) > 0 ? rank : 0), 0);
  let lower = 0;
  let upper = 0;
  for (let signs = 0; signs < 2 ** ranks.length; signs += 1) {
    const v = ranks.reduce((sum, rank, i) => sum + ((signs >> i) & 1 ? rank : 0), 0);
    if (v <= observed) lower += 1;
    if (v >= observed) upper += 1;
  }
  const scale = 2 ** ranks.length;
  return {
    less: lower / scale,
    greater: upper / scale,
    'two-sided': Math.min(1, (2 * Math.min(lower, upper)) / scale),
  }[alternative];
}

test('gives V = 40 and p = 0.01953 for the depression scores of Hollander & Wolfe, as R documents', () => {
  const result = signedRankTest(
    depression.map(([before, after]) => before - after),
    'greater',
  );
  assert.equal(result.v, 40);
  assert.equal(result.method, 'exact');
  assert.equal(result.pValue, 10 / 512);
  assert.equal(result.pValue.toFixed(5), '0.01953');
});

test('agrees with enumerating every sign, ties and zeros included', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 10 }),
      fc.constantFrom<Alternative>('less', 'greater', 'two-sided'),
      (differences, alternative) => {
        const { pValue } = signedRankTest(differences, alternative);
        assert.ok(Math.abs(pValue - enumerated(differences, alternative)) < 1e-12);
      },
    ),
    { numRuns: 150, seed: 1 },
  );
});

test('has a null distribution that sums to one and is symmetric, up to sixty ranks', () => {
  for (const n of [1, 6, 25, 60]) {
    const { probabilities } = signedRankDistribution(Array.from({ length: n }, (_, i) => i + 1));
    const total = probabilities.reduce((sum, p) => sum + p, 0);
    assert.ok(Math.abs(total - 1) < 1e-12, `n = ${String(n)}`);
    assert.deepEqual([...probabilities].reverse(), [...probabilities]);
  }
});

test('has the tail probabilities of the published table for n = 10', () => {
  const distribution = signedRankDistribution(Array.from({ length: 10 }, (_, i) => i + 1));
  // Wilcoxon, Katti & Wilcox (1970): P(V <= 8) = 0.0244, P(V <= 10) = 0.0420.
  assert.equal(atMost(distribution, 8).toFixed(4), '0.0244');
  assert.equal(atMost(distribution, 10).toFixed(4), '0.0420');
});

test('drops zeros and says how many', () => {
  const result = signedRankTest([0, 0, 1, 2, -3], 'two-sided');
  assert.equal(result.zeros, 2);
  assert.equal(result.n, 3);
});

test('finds nothing in differences that are all zero', () => {
  assert.equal(signedRankTest([0, 0, 0], 'two-sided').pValue, 1);
});

test('goes over to the normal approximation without a jump', () => {
  // A smallest difference hardly changes the evidence, but makes 61 of 60.
  const sixty = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? -1 : 1) * (i + 1));
  const exact = signedRankTest(sixty, 'two-sided');
  const approximate = signedRankTest([...sixty, 0.5], 'two-sided');
  assert.equal(exact.method, 'exact');
  assert.equal(approximate.method, 'normal');
  assert.ok(exact.pValue > 0.001 && exact.pValue < 0.2);
  assert.ok(Math.abs(exact.pValue - approximate.pValue) < 0.1 * exact.pValue);
});

test('gives equal values the mean of their ranks', () => {
  assert.deepEqual(midranks([5, 1, 5, 9]), [2.5, 1, 2.5, 4]);
});
