import { setImmediate as turn } from 'node:timers/promises';
import type { AccessTrace } from '../../image/access-trace.ts';
import type { Clock } from '../../units/clock.ts';
import type { RootFile, RootFilesystem } from './root-filesystem.ts';

/** What a pod's program does with its root file system: a recorded start, or every file once. */
export type Workload = AccessTrace | 'all-files';

/** What is told about a replay while it runs. */
export interface ReplayObserver {
  /** A line that the program prints now. */
  line(line: string): void;
  /** Bytes that the program was given. */
  read(path: string, readBytes: number): void;
  /** The program asked for a file that the image does not have, or for bytes behind the file's end. */
  missing(path: string): void;
}

/** How long reads may follow one another without a turn of the event loop: all else in this process waits meanwhile. */
const maxTurnMs = 4;

/**
 * Replays a recorded start: waits out the computation between the steps, does each read for real, and prints each
 * line. Gaps between steps are kept even where the reads take longer than when they were recorded, so computation
 * takes what it took, and input takes what it takes here. Ranges are clipped to the file. Rejects with the signal's
 * reason, or with the error of a read.
 */
export async function replay(options: {
  readonly workload: Workload;
  readonly root: RootFilesystem;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observer: ReplayObserver;
}): Promise<void> {
  const { workload, root, clock, signal, observer } = options;
  const nowMs = (): number => Number(clock.monotonicNs() / 1000n) / 1000;
  const files = new Map<string, RootFile | undefined>();
  let turnEndsMs = nowMs() + maxTurnMs;

  const read = async (path: string, offset: number, length: number): Promise<void> => {
    if (!files.has(path)) files.set(path, root.open(path));
    const file = files.get(path);
    const clippedLength = file === undefined ? 0 : Math.min(length, file.sizeBytes - offset);
    if (file === undefined || clippedLength <= 0) {
      observer.missing(path);
      return;
    }
    const pending = file.read(offset, clippedLength, signal);
    if (pending !== undefined) {
      await pending;
      turnEndsMs = nowMs() + maxTurnMs;
    } else if (nowMs() > turnEndsMs) {
      await turn();
      turnEndsMs = nowMs() + maxTurnMs;
    }
    signal.throwIfAborted();
    observer.read(path, clippedLength);
  };

  // Timers have a millisecond's grain and oversleep: what a sleep took too long is taken off the next ones, so the
  // sum of all computation stays what was recorded.
  let owedMs = 0;
  const compute = async (gapMs: number): Promise<void> => {
    owedMs += gapMs;
    if (owedMs < 1) return;
    const sleptFromMs = nowMs();
    await clock.sleep(owedMs, signal);
    owedMs -= nowMs() - sleptFromMs;
    turnEndsMs = nowMs() + maxTurnMs;
  };

  signal.throwIfAborted();
  if (workload === 'all-files') {
    for (const path of root.regularFiles()) {
      const file = root.open(path);
      if (file !== undefined && file.sizeBytes > 0) await read(path, 0, file.sizeBytes);
      files.clear();
    }
    observer.line('ready');
    return;
  }
  let previousMs = 0;
  for (const step of workload.steps) {
    await compute(step.atMs - previousMs);
    previousMs = step.atMs;
    if (step.kind === 'log') observer.line(step.line);
    else await read(step.path, step.offset, step.length);
  }
}
