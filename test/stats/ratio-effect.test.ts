import assert from 'node:assert/strict';
import { ratioEffect } from '../../src/stats/ratio-effect.ts';
import { suite } from '../support/suite.ts';

const test = suite('ratio effect');

const doubled = [1, 2, 3, 4, 5, 6].map((value) => [value, value * 2] as const);

test('estimates the ratio other to baseline, whatever the unit', () => {
  const effect = ratioEffect(doubled);
  assert.ok(effect.kind === 'estimated');
  assert.ok(Math.abs(effect.ratio - 2) < 1e-12);
  assert.match(effect.method, /exact signed-rank interval/u);
});

test('swapping the arms turns the ratio and its interval over', () => {
  const pairs = [9, 11, 10, 14, 8, 12, 10.5].map((value, i) => [value, 7 + i] as const);
  const effect = ratioEffect(pairs);
  const swapped = ratioEffect(pairs.map(([a, b]) => [b, a] as const));
  assert.ok(effect.kind === 'estimated' && swapped.kind === 'estimated');
  assert.ok(effect.interval !== undefined && swapped.interval !== undefined);
  assert.ok(Math.abs(effect.ratio * swapped.ratio - 1) < 1e-12);
  assert.ok(Math.abs(effect.interval.low * swapped.interval.high - 1) < 1e-12);
});

test('says how many pairs an interval needs when there are too few', () => {
  const effect = ratioEffect(doubled.slice(0, 5));
  assert.ok(effect.kind === 'estimated');
  assert.equal(effect.interval, undefined);
  assert.match(effect.method, /5 pairs cannot give 95 %, 6 can/u);
});

test('is impossible, not smaller, when a value is zero, negative or NaN', () => {
  for (const bad of [0, -3, Number.NaN, Infinity]) {
    const effect = ratioEffect([...doubled, [bad, 1]]);
    assert.ok(effect.kind === 'impossible', String(bad));
    assert.match(effect.because, /^1 of 7 pairs/u);
  }
  assert.equal(ratioEffect([]).kind, 'impossible');
});
