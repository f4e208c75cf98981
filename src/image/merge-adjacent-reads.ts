import type { TraceStep } from './access-trace.ts';

/** Reads that follow each other within this time are one read to a replay: no computation lies between them. */
const mergeWithinMs = 2;

/**
 * Joins reads (and, separately, mapped runs) that continue where the last step on the same file ended, within 2 ms.
 * A file read in 8 KiB pieces becomes one step; bytes and their order within a file stay the same.
 */
export function mergeAdjacentReads(steps: readonly TraceStep[]): readonly TraceStep[] {
  const merged: TraceStep[] = [];
  const lastOfFile = new Map<string, { index: number; endMs: number }>();
  for (const step of steps) {
    if (step.kind === 'log') {
      // What the program wrote may depend on what it read before: nothing after moves in front of it.
      lastOfFile.clear();
      merged.push(step);
      continue;
    }
    const last = lastOfFile.get(step.path);
    const before = last === undefined ? undefined : merged[last.index];
    if (
      last !== undefined &&
      before?.kind === step.kind &&
      before.offset + before.length === step.offset &&
      step.atMs - last.endMs <= mergeWithinMs
    ) {
      merged[last.index] = { ...before, length: before.length + step.length };
      last.endMs = step.atMs;
      continue;
    }
    lastOfFile.set(step.path, { index: merged.length, endMs: step.atMs });
    merged.push(step);
  }
  return merged;
}
