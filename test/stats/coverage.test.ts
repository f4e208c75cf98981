import assert from 'node:assert/strict';
import { seededRandom, type Random } from '../../src/stats/random.ts';
import { ratioEffect, type RatioPair } from '../../src/stats/ratio-effect.ts';
import { suite } from '../support/suite.ts';

const test = suite('coverage of the ratio interval');

const trueRatio = 0.7;
const repeats = 3000;

/** Noise of one arm, around 1. Both arms draw from the same one, as the signed-rank interval assumes. */
const noises: Record<string, (random: Random) => number> = {
  normal: (random) => Math.max(0.2, 1 + 0.15 * random.normal()),
  lognormal: (random) => Math.exp(0.4 * random.normal()),
  bimodal: (random) => (random.uniform() < 0.3 ? 2 : 1) * Math.exp(0.05 * random.normal()),
  tied: (random) => 1.15 ** Math.round(1.5 * random.normal()),
};

const drawPair = (random: Random, noise: (random: Random) => number): RatioPair => {
  const block = Math.exp(0.5 * random.normal());
  return [1000 * block * noise(random), 1000 * trueRatio * block * noise(random)];
};

const coverage = (noise: (random: Random) => number, n: number, seed: number): number => {
  const random = seededRandom(seed);
  let covered = 0;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const effect = ratioEffect(Array.from({ length: n }, () => drawPair(random, noise)));
    assert.ok(effect.kind === 'estimated' && effect.interval !== undefined);
    const { low, high } = effect.interval;
    // Ties put an end exactly on the truth; the rounding of exp must not push it off.
    if (low <= trueRatio * (1 + 1e-9) && high >= trueRatio * (1 - 1e-9)) covered += 1;
  }
  return covered / repeats;
};

for (const [name, noise] of Object.entries(noises)) {
  for (const n of [6, 10, 20]) {
    test(`a 95 % interval of ${String(n)} pairs with ${name} noise holds the true ratio 94 to 97.5 % of the time`, () => {
      const share = coverage(noise, n, 20_261_123 + n);
      const text = `${(share * 100).toFixed(2)} %`;
      assert.ok(share >= 0.94, text);
      // Ties can only raise the coverage of the closed interval.
      assert.ok(share <= (name === 'tied' ? 0.995 : 0.975), text);
    });
  }
}
