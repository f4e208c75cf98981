import assert from 'node:assert/strict';
import process from 'node:process';
import type { CompletedTrial, Trial } from '../../src/evidence/trial.ts';
import { summaryExitCode } from '../../src/decision/exit-code.ts';
import { summarize } from '../../src/decision/summarize.ts';
import { summary, type Comparison, type Summary } from '../../src/decision/summary.ts';
import { verdictOf } from '../../src/decision/verdict.ts';
import { suite } from '../support/suite.ts';
import {
  completedTrial,
  failedTrial,
  invalidTrial,
  sampleDuration,
  sampleRun,
  timedPairs,
} from './sample-run.ts';

const test = suite('summary');

const arms = ['oci', 'nydus'];
const summarizePairs = (trials: readonly Trial[], blocks = trials.length / 2): Summary =>
  summarize(sampleRun(arms, blocks), trials);
const find = (result: Summary, metric: Comparison['metric']): Comparison => {
  const found = result.comparisons.find((one) => one.metric === metric);
  assert.ok(found !== undefined, metric);
  return found;
};
const bent = (
  trials: readonly CompletedTrial[],
  change: (trial: CompletedTrial) => CompletedTrial,
): CompletedTrial[] => trials.map((trial, index) => (index === 1 ? change(trial) : trial));

test('says faster with interval and n, stands, exits with 0, and fits its schema', () => {
  const result = summarizePairs(timedPairs(8, 0.6, 0.02));
  const headline = find(result, 'timeToReady');
  assert.equal(headline.verdict, 'faster');
  assert.ok(headline.effect?.interval !== undefined);
  assert.ok(headline.effect.interval.low < 0.6 && headline.effect.interval.high > 0.6);
  assert.match(
    result.sentence,
    /^nydus is ready in 0\.\d+ times the time of oci \(95 % interval 0\.\d+ to 0\.\d+, 8 pairs\): 4\d % sooner\.$/u,
  );
  assert.equal(result.standing, 'ok');
  assert.equal(summaryExitCode(result), 0);
  assert.deepEqual(summary.parse(JSON.parse(JSON.stringify(result))), result);
});

test('says slower, equivalent and inconclusive where that is so', () => {
  const verdict = (ratio: number, noise: number): string =>
    find(summarizePairs(timedPairs(8, ratio, noise)), 'timeToReady').verdict;
  assert.equal(verdict(1.5, 0.02), 'slower');
  assert.equal(verdict(1.01, 0.01), 'equivalent');
  assert.equal(verdict(1, 0.5), 'inconclusive');
  const result = summarizePairs(timedPairs(8, 1, 0.5));
  assert.match(result.sentence, /cannot be told: the ratio is .* holds 1/u);
  assert.equal(summaryExitCode(result), 4);
});

test('decides from the interval and the margin alone', () => {
  assert.equal(verdictOf({ low: 0.9, high: 0.97 }, 0.05), 'faster');
  assert.equal(verdictOf({ low: 0.96, high: 0.99 }, 0.05), 'equivalent');
  assert.equal(verdictOf({ low: 1.02, high: 1.2 }, 0.05), 'slower');
  assert.equal(verdictOf({ low: 0.9, high: 1.01 }, 0.05), 'inconclusive');
});

test('compares bytes that repeat exactly in every pair', () => {
  const bytes = find(summarizePairs(timedPairs(8, 0.6, 0.02)), 'bytesAtReady');
  assert.equal(bytes.verdict, 'faster');
  assert.equal(bytes.effect?.ratio.toFixed(9), '0.300000000');
  assert.equal(bytes.unit, 'bytes');
});

test('corrects supporting metrics but not the headline: six pairs decide time to ready, not six metrics', () => {
  const pairs = (blocks: number): Trial[] =>
    timedPairs(blocks, 0.6, 0.02).map((trial) => {
      const time = trial.durations.timeToReady?.durationMs ?? Number.NaN;
      const part = sampleDuration(time / 3);
      return { ...trial, durations: { ...trial.durations, pull: part, create: part, startToReady: part } };
    });
  const six = summarizePairs(pairs(6));
  assert.equal(find(six, 'timeToReady').verdict, 'faster');
  assert.equal(find(six, 'pull').verdict, 'inconclusive');
  assert.match(
    find(six, 'pull').because,
    /among 6 comparisons that can be chance \(Holm-adjusted p = 0\.19\)/u,
  );
  const eight = summarizePairs(pairs(8));
  for (const metric of ['pull', 'create', 'startToReady', 'bytesAtEnd'] as const)
    assert.equal(find(eight, metric).verdict, 'faster', metric);
  assert.equal(find(eight, 'requestsAtEnd').verdict, 'equivalent');
});

test('says so when the pull is much shorter but readiness is not', () => {
  const trials = timedPairs(8, 1, 0.3).map((trial, index) => ({
    ...trial,
    durations: {
      ...trial.durations,
      pull: sampleDuration((trial.arm === 'oci' ? 1000 : 50) + index, 0.1, 'AA'),
    },
  }));
  assert.match(
    summarizePairs(trials).sentence,
    /Its pull takes only 0\.05\d+ times as long, but that does not show/u,
  );
});

test('cannot tell from one pair, and from five, and says how many it takes', () => {
  for (const blocks of [1, 5]) {
    const result = summarizePairs(timedPairs(blocks, 0.5, 0.01));
    assert.equal(find(result, 'timeToReady').verdict, 'inconclusive');
    assert.equal(find(result, 'timeToReady').effect?.interval, undefined);
    assert.match(result.sentence, /cannot be told: .* pairs cannot give 95 %, 6 can/u);
    assert.equal(result.standing, 'inconclusive');
  }
});

test('believes no times that are all tied', () => {
  const trials = Array.from({ length: 8 }, (_, block) =>
    arms.map((arm) => completedTrial(arm, block, { timeToReady: sampleDuration(1000) })),
  ).flat();
  const headline = find(summarizePairs(trials), 'timeToReady');
  assert.equal(headline.verdict, 'inconclusive');
  assert.match(headline.because, /exactly the same ratio/u);
});

test('believes no difference that the clocks could have made', () => {
  const trials = timedPairs(8, 0.9, 0.01).map((trial) => ({
    ...trial,
    durations: { timeToReady: sampleDuration(trial.durations.timeToReady?.durationMs ?? Number.NaN, 500) },
  }));
  const headline = find(summarizePairs(trials), 'timeToReady');
  assert.equal(headline.verdict, 'inconclusive');
  assert.match(headline.because, /clocks may be wrong/u);
});

test('gives no number for negative or NaN durations', () => {
  for (const bad of [-5, 0, Number.NaN]) {
    const trials = bent(timedPairs(8, 0.6, 0.02), (trial) => ({
      ...trial,
      durations: { timeToReady: sampleDuration(bad) },
    }));
    const headline = find(summarizePairs(trials), 'timeToReady');
    assert.equal(headline.verdict, 'inconclusive');
    assert.equal(headline.effect, undefined);
    assert.match(headline.because, /1 of 8 pairs hold a value that is not above zero/u);
  }
});

test('pairs only like sources, and says what was left out', () => {
  const trials = bent(timedPairs(9, 0.6, 0.02), (trial) => ({
    ...trial,
    durations: { timeToReady: sampleDuration(1200, 250, 'EE') },
  }));
  const headline = find(summarizePairs(trials), 'timeToReady');
  assert.equal(headline.effect?.pairs, 8);
  assert.match(headline.because, /left out: 1 measured by different sources/u);
});

test('counts failed and invalid trials, and pairs none of them', () => {
  const trials: Trial[] = [
    ...timedPairs(8, 0.6, 0.02),
    completedTrial('oci', 8, { timeToReady: sampleDuration(2000) }),
    failedTrial('nydus', 8),
    invalidTrial('oci', 9),
    completedTrial('nydus', 9, { timeToReady: sampleDuration(1) }),
  ];
  const result = summarizePairs(trials);
  assert.deepEqual(result.counts, [
    { arm: 'oci', completed: 9, failed: 0, timedOut: 0, invalid: 1 },
    { arm: 'nydus', completed: 9, failed: 1, timedOut: 0, invalid: 0 },
  ]);
  assert.equal(find(result, 'timeToReady').effect?.pairs, 8);
  assert.equal(result.standing, 'ok');
});

test('stands as incomplete when all failed, an arm is missing, or the run was cut off', () => {
  const allFailed = Array.from({ length: 6 }, (_, block) =>
    arms.map((arm) => failedTrial(arm, block)),
  ).flat();
  const result = summarizePairs(allFailed);
  assert.equal(result.standing, 'incomplete');
  assert.match(result.sentence, /cannot be told: there is no pair\.$/u);
  const oneArm = timedPairs(6, 1, 0.1).filter(({ arm }) => arm === 'oci');
  assert.equal(summarizePairs(oneArm, 6).standing, 'incomplete');
  assert.equal(summarizePairs([], 6).standing, 'incomplete');
  assert.equal(summarizePairs(timedPairs(8, 0.6, 0.02), 20).standing, 'incomplete');
});

test('a run that stopped early by its rule is complete, an interrupted one is not', () => {
  const trials = timedPairs(8, 0.6, 0.02);
  const standing = (how: 'stopped-early' | 'interrupted'): string =>
    summarize(sampleRun(arms, 20), trials, { end: { schemaVersion: 1, endedAt: '', how, why: '' } }).standing;
  assert.equal(standing('stopped-early'), 'ok');
  assert.equal(standing('interrupted'), 'incomplete');
});

test('stands as invalid when an arm has no fewer invalid trials than completed ones', () => {
  const trials = [
    ...timedPairs(8, 0.6, 0.02),
    ...Array.from({ length: 8 }, (_, i) => invalidTrial('nydus', 8 + i)),
  ];
  const result = summarizePairs(trials);
  assert.equal(result.standing, 'invalid');
  assert.equal(summaryExitCode(result), 4);
});

test('shows the worst closure and the proofs of each arm', () => {
  const result = summarizePairs(timedPairs(8, 0.6, 0.02));
  assert.deepEqual(result.closure[0], { arm: 'oci', worstRatio: 0.007, between: ['meter', 'containerd'] });
  assert.deepEqual(result.proofs[1], { arm: 'nydus', name: 'cold', proved: 8, refuted: 0, missing: 0 });
  assert.deepEqual(result.statements, ['embedded node']);
});

test('compares every arm with the baseline and corrects the headline over arms', () => {
  const third = timedPairs(6, 0.6, 0.02)
    .filter(({ arm }) => arm === 'nydus')
    .map((trial) => ({ ...trial, arm: 'prefetch', id: `${trial.id}-p` }));
  const result = summarize(sampleRun(['oci', 'nydus', 'prefetch'], 6), [
    ...timedPairs(6, 0.6, 0.02),
    ...third,
  ]);
  const headlines = result.comparisons.filter(({ metric }) => metric === 'timeToReady');
  assert.deepEqual(
    headlines.map(({ arm, verdict }) => `${arm} ${verdict}`),
    ['nydus inconclusive', 'prefetch inconclusive'],
  );
  assert.match(headlines[0]?.because ?? '', /Holm-adjusted p = 0\.063/u);
});

test('a trial that was recorded twice counts once', () => {
  const trials = timedPairs(8, 0.6, 0.02);
  assert.deepEqual(summarizePairs([...trials, ...trials.slice(0, 4)], 8), summarizePairs(trials));
});

test('summarizes a hundred thousand trials in seconds', () => {
  const trials = timedPairs(50_000, 0.8, 0.3);
  const before = process.cpuUsage();
  const result = summarizePairs(trials);
  const { user } = process.cpuUsage(before);
  assert.equal(find(result, 'timeToReady').verdict, 'faster');
  // Processor time, so that a busy machine does not fail the test.
  assert.ok(user < 5_000_000, `${String(user / 1000)} ms`);
});
