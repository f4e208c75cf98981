import assert from 'node:assert/strict';
import fc from 'fast-check';
import { eventInstant } from '../../src/evidence/event-instant.ts';
import type { KubeEvent } from '../../src/evidence/kube-event.ts';
import { parseLogLine } from '../../src/evidence/log-line.ts';
import { parseTimestampNs } from '../../src/evidence/timestamp.ts';
import { suite } from '../support/suite.ts';

const test = suite('event instant');

const atNs = 1_795_428_902_123_456_789n;
const event: KubeEvent = {
  name: `my.dotted.pod.${atNs.toString(16)}`,
  uid: 'u',
  reason: 'Pulled',
  message: 'm',
  type: 'Normal',
  count: 1,
  firstTimestamp: '2026-11-23T10:15:02Z',
  eventTime: undefined,
  arrivedNs: undefined,
};

test('reads nanoseconds after the last dot, exactly', () => {
  assert.deepEqual(eventInstant(event), { kind: 'exact', atNs });
});

test('refuses a uuid, a repeated event, an aggregate, and a name that contradicts its second', () => {
  const refused: [Partial<KubeEvent>, RegExp][] = [
    [{ name: '0b9b3b0e-7f0c-4a63-9d6d-0d6f7f3a2b11' }, /holds no nanoseconds/u],
    [{ name: 'pod.18ea' }, /holds no nanoseconds/u],
    [{ count: 2 }, /2 occurrences/u],
    [{ message: '(combined from similar events): x' }, /similar/u],
    [{ firstTimestamp: '2026-11-23T10:15:03Z' }, /contradicts/u],
    [{ firstTimestamp: undefined }, /no firstTimestamp/u],
  ];
  for (const [change, because] of refused) {
    const found = eventInstant({ ...event, ...change });
    assert.ok(found.kind === 'refused');
    assert.match(found.because, because);
  }
});

test('timestamps keep every digit that Date would cut', () => {
  assert.equal(parseTimestampNs('2026-11-23T10:15:02.123456Z'), 1_795_428_902_123_456_000n);
  assert.equal(parseTimestampNs('2026-11-23T10:15:02.123456789Z'), atNs);
  assert.equal(parseTimestampNs('2026-11-23T11:15:02+01:00'), 1_795_428_902_000_000_000n);
  assert.equal(parseTimestampNs('2026-11-23T10:15:02.1Z'), 1_795_428_902_100_000_000n);
});

test('timestamps that name no instant are refused', () => {
  for (const text of [
    '',
    '2026-02-30T00:00:00Z',
    '2026-11-23',
    '2026-11-23T10:15:02',
    '2026-11-23T10:15:02.1234567890Z',
  ])
    assert.equal(parseTimestampNs(text), undefined, text);
});

test('a timestamp written with nine digits is read back exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }), (ns) => {
      const iso = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
      const text = `${iso}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
      assert.equal(parseTimestampNs(text), ns);
    }),
    { numRuns: 200, seed: 4 },
  );
});

test('a log line is split at its first space only', () => {
  assert.deepEqual(parseLogLine('2026-11-23T10:15:02.123456789Z ready in 3 s'), {
    atNs,
    line: 'ready in 3 s',
  });
  assert.deepEqual(parseLogLine('2026-11-23T10:15:02.123456789Z'), { atNs, line: '' });
  assert.equal(parseLogLine('no timestamp'), undefined);
});
