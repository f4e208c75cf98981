import type { AccessTrace } from '../../src/image/access-trace.ts';

/** Bytes that a set of ranges covers at least once. */
function coveredBytes(ranges: readonly { readonly offset: number; readonly length: number }[]): number {
  let covered = 0;
  let end = 0;
  for (const range of [...ranges].sort((a, b) => a.offset - b.offset)) {
    const rangeEnd = range.offset + range.length;
    if (rangeEnd > end) covered += rangeEnd - Math.max(end, range.offset);
    end = Math.max(end, rangeEnd);
  }
  return covered;
}

/** One line about a trace: steps, files, distinct bytes, duration. */
export function describeTrace(trace: AccessTrace): string {
  const ofFile = new Map<string, { offset: number; length: number }[]>();
  const count = { read: 0, map: 0, log: 0 };
  for (const step of trace.steps) {
    count[step.kind] += 1;
    if (step.kind === 'log') continue;
    const ranges = ofFile.get(step.path) ?? [];
    ranges.push(step);
    ofFile.set(step.path, ranges);
  }
  const bytes = [...ofFile.values()].reduce((sum, ranges) => sum + coveredBytes(ranges), 0);
  return (
    `${count.read} reads, ${count.map} mapped runs, ${count.log} log lines; ${ofFile.size} files, ` +
    `${(bytes / 1e6).toFixed(1)} MB distinct; ${(trace.steps.at(-1)?.atMs ?? 0).toFixed(0)} ms`
  );
}
