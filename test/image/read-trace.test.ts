import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HarnessError } from '../../src/errors/harness-error.ts';
import type { AccessTrace, TraceStep } from '../../src/image/access-trace.ts';
import { formatTrace, parseTrace } from '../../src/image/read-trace.ts';
import { suite } from '../support/suite.ts';

const test = suite('read trace');

const header = {
  kind: 'lazybench-trace',
  version: 1,
  command: ['/bin/app'],
  recordedWith: 'strace',
  recordedOn: 'Linux',
} as const;
const headerLine = JSON.stringify(header);
const read = (atMs: number): TraceStep => ({ kind: 'read', atMs, path: 'etc/passwd', offset: 0, length: 10 });

const plain = { noNullPrototype: true } as const;
const range = {
  atMs: fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0),
  path: fc.string({ unit: 'grapheme' }),
  offset: fc.nat(),
  length: fc.integer({ min: 1 }),
};
const step: fc.Arbitrary<TraceStep> = fc.oneof(
  fc.record({ kind: fc.constant('read'), ...range }, plain),
  fc.record({ kind: fc.constant('map'), ...range }, plain),
  fc.record({ kind: fc.constant('log'), atMs: range.atMs, line: fc.string({ unit: 'grapheme' }) }, plain),
);

test('reads back what it writes, whatever the names and lines hold', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const trace: AccessTrace = {
        header: { ...header, command: ['/bin/app'] },
        steps: steps.sort((a, b) => a.atMs - b.atMs),
      };
      assert.deepEqual(parseTrace(formatTrace(trace)), trace);
    }),
  );
});

const refusal = (text: string): string => {
  try {
    parseTrace(text, 'app.jsonl');
  } catch (error) {
    assert.ok(error instanceof HarnessError);
    assert.equal(error.code, 'TRACE_INVALID');
    return error.message;
  }
  assert.fail('the trace was accepted');
};

test('names the line and the key that is wrong', () => {
  const bad = JSON.stringify({ ...read(1), length: 0 });
  assert.match(
    refusal(`${headerLine}\n${JSON.stringify(read(1))}\n${bad}\n`),
    /^app\.jsonl, line 3: .*length/u,
  );
  assert.match(refusal(`${headerLine}\n{"kind":"read","atMs":1}\n`), /line 2: .*path/u);
  assert.match(refusal(`${headerLine}\n\n${JSON.stringify(read(1))}\n`), /line 2: not JSON/u);
});

test('says that the file was cut off when the last line is torn', () => {
  const text = `${headerLine}\n${JSON.stringify(read(1))}\n${JSON.stringify(read(2)).slice(0, 20)}`;
  assert.match(refusal(text), /line 3: the file was cut off/u);
});

test('accepts a last line without a line end when it is whole', () => {
  assert.equal(parseTrace(`${headerLine}\n${JSON.stringify(read(1))}`).steps.length, 1);
});

test('refuses an empty file, a missing header, a newer version and steps out of order', () => {
  assert.match(refusal(''), /line 1: /u);
  assert.match(refusal(`${JSON.stringify(read(1))}\n`), /line 1: not the header/u);
  assert.match(refusal(`${JSON.stringify({ ...header, version: 2 })}\n`), /line 1: .*version/u);
  const unordered = [read(5), read(4)].map((line) => JSON.stringify(line)).join('\n');
  assert.match(refusal(`${headerLine}\n${unordered}\n`), /line 3: atMs 4 is earlier/u);
});
