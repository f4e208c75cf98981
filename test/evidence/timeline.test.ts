import assert from 'node:assert/strict';
import fc from 'fast-check';
import { measureDurations, sameSources } from '../../src/evidence/durations.ts';
import type { RawEvidence } from '../../src/evidence/raw-evidence.ts';
import { buildTimeline } from '../../src/evidence/timeline.ts';
import { phaseNames, type CompletedTrial } from '../../src/evidence/trial.ts';
import { suite } from '../support/suite.ts';
import { kubeletEvent, sampleEvidence, sampleTimes, submitNs } from './sample-evidence.ts';

const test = suite('timeline');

const durationsOf = (raw: RawEvidence): CompletedTrial['durations'] =>
  measureDurations(buildTimeline(raw)).durations;

const withoutReason = (raw: RawEvidence, reason: string): RawEvidence => ({
  ...raw,
  events: raw.events.filter(({ event }) => event['reason'] !== reason),
});

const changed = (raw: RawEvidence, reason: string, change: Record<string, unknown>): RawEvidence => ({
  ...raw,
  events: raw.events.map((one) =>
    one.event['reason'] === reason ? { ...one, event: { ...one.event, ...change } } : one,
  ),
});

const near = (actual: number | undefined, expected: number, by: number): void =>
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= by,
    `${String(actual)} is not ${String(expected)}`,
  );

test('takes every instant from its best source, and flags nothing', () => {
  const { timeline, flags } = buildTimeline(sampleEvidence());
  assert.deepEqual(
    Object.entries(timeline).map(([name, { source, clock }]) => `${name} ${source} ${clock}`),
    [
      'submitted E client',
      'scheduled C scheduler',
      'pulling A node',
      'pulled A node',
      'created A node',
      'started A node',
      'firstLog D node',
      'ready D node',
    ],
  );
  assert.deepEqual(flags, []);
});

test('measures each phase although the node’s clock is five seconds ahead', () => {
  const durations = durationsOf(sampleEvidence());
  near(durations.pull?.durationMs, 1200, 1e-6);
  near(durations.startToReady?.durationMs, 738, 1e-6);
  near(durations.podToReady?.durationMs, 1980, 1e-6);
  near(durations.timeToReady?.durationMs, 2000, 0.3);
  // Log line 1 ms + half of the shortest round trip (0.4 ms).
  near(durations.timeToReady?.errorMs, 1.2, 1e-6);
  assert.equal(durations.timeToReady?.sources, 'ED');
});

test('has phases that tile the time from submit to ready', () => {
  const gap = fc.integer({ min: 1, max: 3000 });
  fc.assert(
    fc.property(
      fc.array(gap, { minLength: 7, maxLength: 7 }),
      fc.integer({ min: -9e6, max: 9e6 }),
      (gaps, ahead) => {
        const at = gaps.map((_, index) => gaps.slice(0, index + 1).reduce((sum, one) => sum + one, 0));
        const [scheduled = 0, pulling = 0, pulled = 0, created = 0, started = 0, firstLog = 0, ready = 0] =
          at;
        const times = { scheduled, pulling, pulled, created, started, firstLog, ready, nodeAheadMs: ahead };
        const durations = durationsOf(sampleEvidence(times));
        const sum = phaseNames.reduce(
          (total, name) => total + (durations[name]?.durationMs ?? Number.NaN),
          0,
        );
        near(sum, durations.timeToReady?.durationMs ?? Number.NaN, 1e-6);
        near(durations.timeToReady?.durationMs, ready, durations.timeToReady?.errorMs ?? 0);
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});

test('falls back to the arrival, with its larger error, when a name is a uuid', () => {
  const raw = changed(sampleEvidence(), 'Created', {
    metadata: { name: '0b9b3b0e-7f0c-4a63-9d6d-0d6f7f3a2b11' },
  });
  const { timeline, flags } = buildTimeline(raw);
  assert.equal(timeline.created?.source, 'E');
  assert.equal(timeline.created.clock, 'client');
  assert.equal(timeline.created.errorNs, '250000000');
  assert.match(flags.join('\n'), /Created: source E instead of A/u);
  const exact = durationsOf(sampleEvidence()).create;
  const fallen = durationsOf(raw).create;
  assert.ok(exact !== undefined && fallen !== undefined);
  assert.equal(sameSources(exact, exact), true);
  assert.equal(sameSources(exact, fallen), false);
});

test('trusts no arrival inside a watch gap: whole seconds are left', () => {
  const raw = {
    ...changed(sampleEvidence(), 'Created', { metadata: { name: 'uuid' } }),
    watchGaps: [{ fromNs: String(submitNs), toNs: String(submitNs + 5_000_000_000n) }],
  };
  const { timeline, flags } = buildTimeline(raw);
  assert.equal(timeline.created?.source, 'F');
  assert.equal(timeline.created.errorNs, '500000000');
  assert.match(flags.join('\n'), /watch: 1 gaps/u);
});

test('reckons a missing end of the pull from the kubelet’s own duration', () => {
  const { timeline, flags } = buildTimeline(withoutReason(sampleEvidence(), 'Pulling'));
  assert.equal(timeline.pulling?.source, 'B');
  assert.match(flags.join('\n'), /Pulling: source B/u);
  near(durationsOf(withoutReason(sampleEvidence(), 'Pulling')).pull?.durationMs, 1200, 1e-6);
});

test('flags events and message that disagree about the pull, and time in the queue', () => {
  const message = 'Successfully pulled image "registry.local/app:1" in 500ms (700ms including waiting)';
  const { flags } = buildTimeline(changed(sampleEvidence(), 'Pulled', { message }));
  assert.match(flags.join('\n'), /the kubelet says 700 ms, its events are 1200 ms apart/u);
  assert.match(flags.join('\n'), /waited 200 ms/u);
});

test('keeps a negative duration and flags it', () => {
  const durations = measureDurations(buildTimeline(sampleEvidence({ ...sampleTimes, started: 1240 })));
  near(durations.durations.start?.durationMs, -10, 1e-6);
  assert.match(durations.flags.join('\n'), /start: negative \(-10\.000 ms\)/u);
});

test('has no pull where the image was present, and ends the preparation there', () => {
  const raw = withoutReason(sampleEvidence(), 'Pulling');
  const message = 'Container image "registry.local/app:1" already present on machine';
  const durations = durationsOf(changed(raw, 'Pulled', { message }));
  assert.equal(durations.pull, undefined);
  assert.equal(durations.prepare?.to, 'pulled');
  near(durations.podToReady?.durationMs, 780, 1e-6);
});

test('knows the node’s clock by causality when no agent answers', () => {
  const reading = buildTimeline({
    ...sampleEvidence({ ...sampleTimes, nodeAheadMs: 0 }),
    clock: { before: [], after: [] },
  });
  assert.match(reading.flags.join('\n'), /known by causality/u);
  const { timeToReady } = measureDurations(reading).durations;
  assert.ok(timeToReady !== undefined);
  near(timeToReady.durationMs, 2000, timeToReady.errorMs);
});

test('measures by arrival when the node’s clock is known badly', () => {
  const loose = [
    { sentNs: String(submitNs), nodeNs: String(submitNs), receivedNs: String(submitNs + 400_000_000n) },
  ];
  const reading = buildTimeline({
    ...sampleEvidence({ ...sampleTimes, nodeAheadMs: 0 }),
    clock: { before: loose, after: loose },
  });
  const { durations, flags } = measureDurations(reading);
  assert.equal(durations.timeToReady?.sources, 'EE');
  near(durations.timeToReady.durationMs, 2001, 1e-6);
  assert.match(flags.join('\n'), /by arrival/u);
});

test('notices a clock that was set during the trial, and news that came before it happened', () => {
  const raw = sampleEvidence();
  const stepped = raw.clock.after.map((one) => ({
    ...one,
    nodeNs: String(BigInt(one.nodeNs) + 3_000_000_000n),
  }));
  const { flags } = buildTimeline({ ...raw, clock: { before: raw.clock.before, after: stepped } });
  assert.match(flags.join('\n'), /was set by about 3000/u);
  const early = buildTimeline({
    ...raw,
    clock: { before: raw.clock.after.map((one) => ({ ...one, nodeNs: one.sentNs })), after: [] },
  });
  assert.match(early.flags.join('\n'), /arrived before it happened/u);
});

test('puts a polled sign in the middle of its period', () => {
  const atNs = String(submitNs + 2_000_000_000n);
  const { timeline } = buildTimeline({ ...sampleEvidence(), ready: { kind: 'http', atNs, pollMs: 100 } });
  assert.deepEqual(timeline.ready, {
    atNs: String(submitNs + 1_950_000_000n),
    clock: 'client',
    source: 'P',
    errorNs: '50000000',
  });
  assert.deepEqual(timeline.firstResponse, timeline.ready);
});

test('ignores events of an earlier pod of the same name', () => {
  const raw = sampleEvidence();
  const stale = {
    event: { ...kubeletEvent('Pulling', 'Pulling', submitNs), involvedObject: { uid: 'other' } },
  };
  assert.deepEqual(
    buildTimeline({ ...raw, events: [stale, ...raw.events] }).timeline,
    buildTimeline(raw).timeline,
  );
});
