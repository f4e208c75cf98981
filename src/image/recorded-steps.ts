import type { TraceStep } from './access-trace.ts';
import { mergeAdjacentReads } from './merge-adjacent-reads.ts';
import type { StraceEvent } from './strace-log.ts';
import type { FileRange } from './touched-pages.ts';

/** Pages that a sample of the process tree found newly touched. */
export interface PageSample extends FileRange {
  /** Time of the sample before: the earliest moment at which the pages can have been touched. */
  readonly sinceEpochMs: number;
}

/** A line that the program wrote. */
export interface LogLine {
  readonly atEpochMs: number;
  readonly line: string;
}

/** Everything a recorder gathered about one start of a program in a chroot. */
export interface Recording {
  readonly events: readonly StraceEvent[];
  /** The chroot's directory, as strace and /proc/PID/maps name it. */
  readonly root: string;
  readonly pages: readonly PageSample[];
  readonly log: readonly LogLine[];
  /** Factor from recorded to real time (untraced time to ready ÷ recorded time to ready). */
  readonly timeScale: number;
  /** Finds the regular file of the image behind an absolute path inside the root, through symlinks; undefined if none. */
  readonly resolve: (pathInRoot: string) => { readonly path: string; readonly sizeBytes: number } | undefined;
}

/** What {@link recordedSteps} made of a recording. */
export interface RecordedSteps {
  readonly steps: readonly TraceStep[];
  /** When the program's execve began. */
  readonly startEpochMs: number;
  /** Mapped files that no sample saw (their process was too short): their first window is assumed. */
  readonly unsampledFiles: number;
}

/** The kernel reads this much of a program before it knows what it is (BINPRM_BUF_SIZE, linux/binfmts.h). */
const programHeadBytes = 256;
/** What one page fault of a cached file maps (fault_around_bytes, mm/memory.c). */
const faultAroundBytes = 65_536;

/**
 * Turns a recording into trace steps: the data that calls read, the pages that mappings touched, the lines that were
 * written, in order of time from the program's execve on. Files outside the image (/proc, /dev, files that the
 * program made itself) are left out.
 *
 * @returns undefined when the log shows no execve inside the root.
 */
export function recordedSteps(recording: Recording): RecordedSteps | undefined {
  const { root, resolve, timeScale } = recording;
  const entered = recording.events.findIndex((event) => event.kind === 'chroot' && event.path === root);
  const events = recording.events.slice(entered + 1);
  const startEpochMs = events.find((event) => event.kind === 'exec')?.atEpochMs;
  if (entered < 0 || startEpochMs === undefined) return undefined;

  const fromStartMs = (epochMs: number): number =>
    Math.round(Math.max(0, epochMs - startEpochMs) * timeScale * 1000) / 1000;
  const steps: TraceStep[] = [];
  const add = (kind: 'read' | 'map', epochMs: number, pathInRoot: string, range: Omit<FileRange, 'path'>) => {
    const file = resolve(pathInRoot);
    const length = Math.min(range.length, (file?.sizeBytes ?? 0) - range.offset);
    if (file === undefined || length <= 0) return;
    steps.push({ kind, atMs: fromStartMs(epochMs), path: file.path, offset: range.offset, length });
  };
  const inRoot = (path: string): string | undefined =>
    path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;

  const sampled = new Set(recording.pages.map((page) => page.path));
  const mappedAtMs = new Map<string, number>();
  const unsampled = new Set<string>();
  for (const event of events) {
    if (event.kind === 'chroot' || event.atEpochMs < startEpochMs) continue;
    const pathInRoot = event.kind === 'exec' ? event.path : inRoot(event.path);
    if (pathInRoot === undefined) continue;
    if (event.kind === 'read') {
      add('read', event.atEpochMs, pathInRoot, event);
      continue;
    }
    if (event.kind === 'exec')
      add('read', event.atEpochMs, pathInRoot, { offset: 0, length: programHeadBytes });
    const file = resolve(pathInRoot);
    if (file === undefined) continue;
    const path = `${root}/${file.path}`;
    if (!mappedAtMs.has(path)) mappedAtMs.set(path, event.atEpochMs);
    if (sampled.has(path) || unsampled.has(path)) continue;
    unsampled.add(path);
    const offset = event.kind === 'mmap' ? event.offset : 0;
    const mappedBytes = event.kind === 'mmap' ? event.length : faultAroundBytes;
    add('map', event.atEpochMs, pathInRoot, { offset, length: Math.min(mappedBytes, faultAroundBytes) });
  }
  for (const page of recording.pages) {
    const pathInRoot = inRoot(page.path);
    const earliestMs = Math.max(page.sinceEpochMs, mappedAtMs.get(page.path) ?? startEpochMs);
    if (pathInRoot !== undefined) add('map', earliestMs, pathInRoot, page);
  }
  for (const { atEpochMs, line } of recording.log)
    steps.push({ kind: 'log', atMs: fromStartMs(atEpochMs), line });

  steps.sort((a, b) => a.atMs - b.atMs);
  return { steps: mergeAdjacentReads(steps), startEpochMs, unsampledFiles: unsampled.size };
}
