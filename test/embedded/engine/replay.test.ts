import assert from 'node:assert/strict';
import { replay, type Workload } from '../../../src/embedded/engine/replay.ts';
import type { RootFilesystem } from '../../../src/embedded/engine/root-filesystem.ts';
import type { Clock } from '../../../src/units/clock.ts';
import { traceOf } from '../../support/engine-node.ts';
import { suite } from '../../support/suite.ts';

const test = suite('replay');

/** A clock whose sleeps take whole milliseconds and half a millisecond too long, as timers do. */
class CoarseClock implements Clock {
  nowNs = 1_000_000_000n;
  wallNs(): bigint {
    return this.nowNs;
  }
  monotonicNs(): bigint {
    return this.nowNs;
  }
  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.nowNs += BigInt(Math.ceil(durationMs)) * 1_000_000n + 500_000n;
    return Promise.resolve();
  }
}

/** Files by path; each read takes `readMs` of the clock. */
function rootOf(files: Readonly<Record<string, number>>, clock: CoarseClock, readMs = 0): RootFilesystem {
  return {
    mount: { snapshotter: 'overlayfs', lowerDirectories: undefined, daemon: undefined },
    open: (path) => {
      const sizeBytes = files[path];
      if (sizeBytes === undefined) return undefined;
      return {
        sizeBytes,
        read: () => {
          clock.nowNs += BigInt(readMs) * 1_000_000n;
          return undefined;
        },
      };
    },
    regularFiles: () => Object.keys(files),
    close: () => undefined,
  };
}

async function run(
  workload: Workload,
  root: RootFilesystem,
  clock: CoarseClock,
  signal = new AbortController().signal,
): Promise<string[]> {
  const seen: string[] = [];
  const startNs = clock.nowNs;
  const at = (): string => String(Number(clock.nowNs - startNs) / 1e6);
  await replay({
    workload,
    root,
    clock,
    signal,
    observer: {
      line: (line) => seen.push(`${at()} line ${line}`),
      read: (path, readBytes) => seen.push(`read ${path} ${String(readBytes)}`),
      missing: (path) => seen.push(`missing ${path}`),
    },
  });
  return seen;
}

test('computation between reads takes what was recorded, however long the reads take', async () => {
  const clock = new CoarseClock();
  const root = rootOf({ '/a': 10 }, clock, 100);
  const seen = await run(
    traceOf([
      { kind: 'read', atMs: 0, path: '/a', offset: 0, length: 10 },
      { kind: 'log', atMs: 50, line: 'half' },
      { kind: 'map', atMs: 50, path: '/a', offset: 0, length: 5 },
      { kind: 'log', atMs: 80, line: 'ready' },
    ]),
    root,
    clock,
  );
  // 100 ms of reading + 50 ms, then 100 ms more + 30 ms; what the first sleep overslept is taken off the second.
  assert.deepEqual(seen, ['read /a 10', '150.5 line half', 'read /a 5', '281 line ready']);
});

test('a thousand gaps shorter than a timer tick add up to what was recorded', async () => {
  const clock = new CoarseClock();
  const steps = Array.from({ length: 1000 }, (_, k) => ({
    kind: 'read' as const,
    atMs: k * 0.3,
    path: '/a',
    offset: 0,
    length: 1,
  }));
  const startNs = clock.nowNs;
  await run(traceOf(steps), rootOf({ '/a': 1 }, clock), clock);
  const tookMs = Number(clock.nowNs - startNs) / 1e6;
  assert.ok(Math.abs(tookMs - 299.7) <= 2, `${String(tookMs)} ms`);
});

test('ranges are clipped to the file, and what the image does not have is counted, not read', async () => {
  const clock = new CoarseClock();
  const seen = await run(
    traceOf([
      { kind: 'read', atMs: 0, path: '/a', offset: 6, length: 100 },
      { kind: 'read', atMs: 0, path: '/a', offset: 10, length: 1 },
      { kind: 'read', atMs: 0, path: '/none', offset: 0, length: 1 },
    ]),
    rootOf({ '/a': 10 }, clock),
    clock,
  );
  assert.deepEqual(seen, ['read /a 4', 'missing /a', 'missing /none']);
});

test('all-files reads every file that has bytes once and then says ready', async () => {
  const clock = new CoarseClock();
  const seen = await run('all-files', rootOf({ '/a': 3, '/empty': 0, '/b': 4 }, clock), clock);
  assert.deepEqual(seen, ['read /a 3', 'read /b 4', '0 line ready']);
});

test('a stopped replay reads no further', async () => {
  const stop = new AbortController();
  stop.abort(new Error('stopped'));
  const clock = new CoarseClock();
  await assert.rejects(run('all-files', rootOf({ '/a': 3 }, clock), clock, stop.signal), /stopped/u);
});
