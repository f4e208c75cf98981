import assert from 'node:assert/strict';
import { judgeTrial, type TrialContext } from '../../src/evidence/judge-trial.ts';
import { rawEvidence, type RawEvidence } from '../../src/evidence/raw-evidence.ts';
import { trial } from '../../src/evidence/trial.ts';
import { suite } from '../support/suite.ts';
import { sampleContext, sampleEvidence, sampleImage } from './sample-evidence.ts';

const test = suite('judging a trial');

const lazyContext: TrialContext = { ...sampleContext, expect: 'lazy' };
const lazyPod = {
  lowerDirectories: 1,
  daemons: [{ id: 'd1', mountpoint: '/mnt', imageReference: sampleImage }],
};

const refutedBy = (raw: RawEvidence, context: TrialContext = sampleContext): string => {
  const judged = judgeTrial(raw, context);
  assert.equal(judged.outcome, 'invalid');
  return judged.because.map(({ name, because }) => `${name}: ${because}`).join('\n');
};

const withImage = (change: Partial<RawEvidence['imagesBefore'][number]>): RawEvidence => {
  const raw = sampleEvidence();
  return { ...raw, imagesBefore: raw.imagesBefore.map((image) => ({ ...image, ...change })) };
};

test('a clean trial is completed, every proof holds, and it fits its schema', () => {
  const raw = rawEvidence.parse(sampleEvidence());
  const judged = judgeTrial(raw, sampleContext);
  assert.equal(judged.outcome, 'completed');
  assert.deepEqual(
    judged.proofs.map(({ name, verdict }) => `${name} ${verdict}`),
    ['cold proved', 'pulled proved', 'eager proved', 'ready proved'],
  );
  assert.deepEqual(judged.flags, []);
  assert.deepEqual(trial.parse(JSON.parse(JSON.stringify(judged))), judged);
  assert.deepEqual(judgeTrial(raw, sampleContext), judged);
});

test('bytes are counted by class, by source, and over time', () => {
  const { traffic } = judgeTrial(sampleEvidence(), sampleContext);
  assert.deepEqual(
    traffic.byClass.map(({ class: kind, requests, bytes }) => [kind, requests, bytes]),
    [
      ['manifest', 1, 20],
      ['config', 1, 30],
      ['layer', 1, 950],
    ],
  );
  assert.deepEqual(traffic.closure, { ratio: 0, between: ['meter', 'containerd'] });
  assert.equal(traffic.fetchedShareAtReady, 1);
  assert.deepEqual(traffic.curve.at(-1), [1120, 1000, 0]);
  const atEnd = traffic.bySource
    .filter(({ mark }) => mark === 'end')
    .map(({ source, bytes }) => [source, bytes]);
  assert.deepEqual(atEnd, [
    ['nic', 1050],
    ['containerd', 1000],
    ['meter', 1000],
  ]);
});

test('the byte curve never falls and has at most 400 points', () => {
  const raw = sampleEvidence();
  const [first] = raw.meter ?? [];
  assert.ok(first !== undefined);
  const meter = Array.from({ length: 3000 }, (_, index) => ({
    ...first,
    atNs: String(BigInt(first.atNs) + BigInt(index) * 1_000_000n),
    durationMs: 7,
    prefetch: index % 2 === 0,
  }));
  const { curve } = judgeTrial({ ...raw, meter }, lazyContext).traffic;
  assert.equal(curve.length, 400);
  const totals = curve.map(([, onDemand, prefetch]) => onDemand + prefetch);
  assert.deepEqual(
    totals.toSorted((a, b) => a - b),
    totals,
  );
  assert.equal(totals.at(-1), 3000 * first.bodyBytes);
});

test('closure shows what one source missed', () => {
  const raw = sampleEvidence();
  const { traffic, flags } = judgeTrial({ ...raw, meter: raw.meter?.slice(0, 2) }, { ...lazyContext });
  assert.equal(traffic.closure?.ratio, 0.95);
  assert.deepEqual(flags, []);
});

test('chunk bytes ÷ bytes read is the amplification, and nydusd counts from zero', () => {
  const raw = sampleEvidence();
  const nydusd = {
    readCount: 2,
    readErrors: 1,
    readBytes: 600,
    prefetchBytes: 100,
    prefetchCount: 1,
    servedBytes: 200,
  };
  const counters = raw.counters.map((one) =>
    one.mark === 'before' ? one : { ...one, sources: { ...one.sources, nydusd } },
  );
  const judged = judgeTrial({ ...raw, counters, podOnNode: lazyPod }, lazyContext);
  assert.equal(judged.traffic.amplification, 1.5);
  assert.deepEqual(judged.traffic.closure?.between, ['meter', 'containerd + nydusd']);
  assert.match(judged.flags.join('\n'), /1 failed reads/u);
});

test('what was left on the node refutes cold', () => {
  assert.match(refutedBy(withImage({ present: true })), /cold: the image was in the node’s store/u);
  assert.match(refutedBy(withImage({ snapshots: ['sha256:1'] })), /cold: parts of the image .*sha256:1/u);
  assert.match(refutedBy(withImage({ blobCacheFiles: ['x.blob.data'] })), /x\.blob\.data/u);
  const raw = sampleEvidence();
  const kept = { images: [], durationMs: 1, keptBy: ['container c1'] };
  assert.match(
    refutedBy({ ...raw, eviction: kept }),
    /cold: the eviction left something behind: container c1/u,
  );
});

test('an image that the kubelet found present refutes cold and pulled', () => {
  const raw = sampleEvidence();
  const events = raw.events.map((one) =>
    one.event['reason'] === 'Pulled'
      ? {
          ...one,
          event: { ...one.event, message: `Container image "${sampleImage}" already present on machine` },
        }
      : one,
  );
  const because = refutedBy({ ...raw, events });
  assert.match(because, /cold: the kubelet found the image present/u);
  assert.match(because, /pulled: /u);
});

test('too few bytes refute a cold eager pull, but not a lazy one', () => {
  const raw = { ...sampleEvidence(), meter: sampleEvidence().meter?.slice(0, 2) };
  assert.match(refutedBy(raw), /cold: only 50 of 1000 bytes/u);
  assert.equal(judgeTrial({ ...raw, podOnNode: lazyPod }, lazyContext).outcome, 'completed');
});

test('lazy is refuted by unpacked layers or a missing daemon; eager by a daemon', () => {
  const raw = sampleEvidence();
  assert.equal(judgeTrial({ ...raw, podOnNode: lazyPod }, lazyContext).outcome, 'completed');
  assert.match(
    refutedBy({ ...raw, podOnNode: { ...lazyPod, lowerDirectories: 7 } }, lazyContext),
    /lazy: 7 lower directories/u,
  );
  assert.match(
    refutedBy({ ...raw, podOnNode: { ...lazyPod, daemons: [] } }, lazyContext),
    /lazy: no nydusd/u,
  );
  assert.match(refutedBy({ ...raw, podOnNode: lazyPod }), /eager: nydusd d1 serves/u);
});

test('without an agent proofs are missing, and the trial still counts', () => {
  const { podOnNode: _pod, eviction: _eviction, ...raw } = sampleEvidence();
  const judged = judgeTrial(
    { ...raw, imagesBefore: [], counters: [], missing: ['no agent on n1'] },
    sampleContext,
  );
  assert.equal(judged.outcome, 'completed');
  assert.deepEqual(
    judged.proofs.filter(({ verdict }) => verdict === 'missing').map(({ name }) => name),
    ['cold', 'eager'],
  );
  assert.match(judged.flags.join('\n'), /missing: no agent on n1/u);
});

test('a failed, timed-out or interrupted trial is not timed', () => {
  const raw = sampleEvidence();
  const failed = judgeTrial(
    { ...raw, end: { kind: 'failed', reason: 'ErrImagePull', message: 'm' } },
    sampleContext,
  );
  assert.equal(failed.outcome, 'failed');
  assert.equal('durations' in failed, false);
  assert.equal(
    judgeTrial({ ...raw, end: { kind: 'timed-out', afterMs: 5 } }, sampleContext).outcome,
    'timed-out',
  );
  assert.equal(judgeTrial({ ...raw, end: { kind: 'interrupted' } }, sampleContext).outcome, 'failed');
});

test('a ready trial that no submit was recorded for is invalid, not timed', () => {
  const { submit: _submit, ...raw } = sampleEvidence();
  assert.match(refutedBy(raw), /one clock/u);
});
