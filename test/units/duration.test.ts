import assert from 'node:assert/strict';
import { formatDurationMs, parseDurationMs } from '../../src/units/duration.ts';
import { suite } from '../support/suite.ts';

const test = suite('duration');

test('reads the notation of Go and Kubernetes', () => {
  assert.equal(parseDurationMs('10m'), 600_000);
  assert.equal(parseDurationMs('1m30s'), 90_000);
  assert.equal(parseDurationMs('250ms'), 250);
  assert.equal(parseDurationMs('1.5s'), 1500);
});

test('refuses a bare number, an unknown unit and the empty text', () => {
  for (const text of ['10', '5 minutes', '', '-3s', '1s2'])
    assert.equal(parseDurationMs(text), undefined, text);
});

test('writes three significant digits', () => {
  assert.equal(formatDurationMs(0.849), '0.85 ms');
  assert.equal(formatDurationMs(12.34), '12.3 ms');
  assert.equal(formatDurationMs(1240), '1.24 s');
  assert.equal(formatDurationMs(125_000), '2m 05s');
  assert.equal(formatDurationMs(-20), '−20.0 ms');
});
