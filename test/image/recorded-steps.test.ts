import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { TraceStep } from '../../src/image/access-trace.ts';
import { mergeAdjacentReads } from '../../src/image/merge-adjacent-reads.ts';
import { recordedSteps, type Recording } from '../../src/image/recorded-steps.ts';
import { suite } from '../support/suite.ts';

const test = suite('recorded steps');

const sizes: Readonly<Record<string, number>> = { '/bin/app': 10_000, '/lib/c.so': 200_000, '/etc/conf': 50 };
const recording: Recording = {
  root: '/tmp/r',
  timeScale: 0.5,
  resolve: (path) => {
    const target = path === '/bin/link' ? '/bin/app' : path;
    const sizeBytes = sizes[target];
    return sizeBytes === undefined ? undefined : { path: target.slice(1), sizeBytes };
  },
  events: [
    { kind: 'read', atEpochMs: 900, path: '/tmp/r/etc/conf', offset: 0, length: 50 },
    { kind: 'chroot', atEpochMs: 990, path: '/tmp/r' },
    { kind: 'exec', atEpochMs: 1000, path: '/bin/link' },
    { kind: 'mmap', atEpochMs: 1010, path: '/tmp/r/lib/c.so', offset: 0, length: 190_000 },
    { kind: 'read', atEpochMs: 1020, path: '/tmp/r/etc/conf', offset: 0, length: 50 },
    { kind: 'read', atEpochMs: 1021, path: '/tmp/r/proc/self/stat', offset: 0, length: 50 },
    { kind: 'read', atEpochMs: 1022, path: '/etc/conf', offset: 0, length: 50 },
  ],
  pages: [
    { path: '/tmp/r/bin/app', offset: 8192, length: 4096, sinceEpochMs: 995 },
    { path: '/usr/bin/strace', offset: 0, length: 4096, sinceEpochMs: 995 },
  ],
  log: [{ atEpochMs: 1100, line: 'ready' }],
};

test('keeps what the program in the root did, from its start on, in scaled time', () => {
  assert.deepEqual(recordedSteps(recording)?.steps, [
    { kind: 'read', atMs: 0, path: 'bin/app', offset: 0, length: 256 },
    // The last page reaches beyond the file's end.
    { kind: 'map', atMs: 0, path: 'bin/app', offset: 8192, length: 1808 },
    // Mapped, but no sample saw it.
    { kind: 'map', atMs: 5, path: 'lib/c.so', offset: 0, length: 65_536 },
    { kind: 'read', atMs: 10, path: 'etc/conf', offset: 0, length: 50 },
    { kind: 'log', atMs: 50, line: 'ready' },
  ]);
  assert.equal(recordedSteps(recording)?.unsampledFiles, 1);
});

test('places sampled pages no earlier than the mapping of their file', () => {
  const pages = [{ path: '/tmp/r/lib/c.so', offset: 4096, length: 4096, sinceEpochMs: 1002 }];
  const found = recordedSteps({ ...recording, pages })?.steps.find(
    (step) => step.kind === 'map' && step.path === 'lib/c.so',
  );
  assert.deepEqual(found, { kind: 'map', atMs: 5, path: 'lib/c.so', offset: 4096, length: 4096 });
});

test('gives nothing when no program was started inside the root', () => {
  assert.equal(recordedSteps({ ...recording, root: '/tmp/other' }), undefined);
});

const read = (atMs: number, path: string, offset: number, length: number): TraceStep => ({
  kind: 'read',
  atMs,
  path,
  offset,
  length,
});

test('merges a file read in pieces, also when another file is read between', () => {
  assert.deepEqual(
    mergeAdjacentReads([
      read(0, 'a', 0, 10),
      read(1, 'b', 0, 5),
      read(2, 'a', 10, 10),
      read(3.5, 'a', 20, 1),
    ]),
    [read(0, 'a', 0, 21), read(1, 'b', 0, 5)],
  );
});

test('does not merge over a pause, a gap, a jump back or a log line', () => {
  const steps = [
    read(0, 'a', 0, 10),
    read(9, 'a', 10, 10),
    read(9, 'a', 21, 1),
    read(9, 'a', 0, 5),
    { kind: 'log' as const, atMs: 9, line: 'x' },
    read(9, 'a', 5, 5),
  ];
  assert.deepEqual(mergeAdjacentReads(steps), steps);
});

test('merging keeps the bytes, their order within a file, and the order of time', () => {
  const arbitrary = fc.array(
    fc.tuple(fc.nat(3), fc.constantFrom('a', 'b'), fc.nat(4), fc.integer({ min: 1, max: 3 })),
  );
  const bytesOf = (steps: readonly TraceStep[], path: string): readonly number[] =>
    steps.flatMap((step) =>
      step.kind !== 'log' && step.path === path
        ? Array.from({ length: step.length }, (_, index) => step.offset + index)
        : [],
    );
  fc.assert(
    fc.property(arbitrary, (drafts) => {
      let atMs = 0;
      const steps = drafts.map(([gapMs, path, offset, length]) =>
        read((atMs += gapMs), path, offset, length),
      );
      const merged = mergeAdjacentReads(steps);
      for (const path of ['a', 'b']) assert.deepEqual(bytesOf(merged, path), bytesOf(steps, path));
      assert.deepEqual(
        merged.map((step) => step.atMs),
        merged.map((step) => step.atMs).sort((a, b) => a - b),
      );
    }),
  );
});
