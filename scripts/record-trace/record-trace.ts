import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { AccessTrace } from '../../src/image/access-trace.ts';
import { recordedSteps } from '../../src/image/recorded-steps.ts';
import { readStraceLog, tracedSystemCalls } from '../../src/image/strace-log.ts';
import { imageFiles } from './image-files.ts';
import { PageSampler } from './page-sampler.ts';
import { nowEpochMs, runInRoot, type ProgramStart } from './run-in-root.ts';

const run = promisify(execFile);

/** Untraced starts; the fastest gives the real time to ready, since other load on the machine only ever adds to it. */
const untracedStarts = 5;

const firstLineOf = async (command: string, args: readonly string[]): Promise<string> =>
  (await run(command, args)).stdout.split('\n', 1)[0] ?? '';

/**
 * Records what a program reads of its root file system. The program is started once to fill the page cache, some
 * times untraced to learn its real time to ready, and once under strace with its mapped pages sampled; the times of
 * that last start are then scaled to the untraced time to ready (docs/traces.md).
 */
export async function recordTrace(
  start: ProgramStart,
  progress: (line: string) => void,
): Promise<AccessTrace> {
  const pageBytes = Number(await firstLineOf('getconf', ['PAGESIZE']));
  const strace = await firstLineOf('strace', ['--version']);
  const untracedMs: number[] = [];
  for (let index = 0; index <= untracedStarts; index += 1) {
    const observed = await runInRoot({ ...start, lingerMs: 0 });
    const elapsedMs = observed.readyEpochMs - observed.launchedEpochMs;
    progress(
      `${index === 0 ? 'warm-up' : `untraced start ${index}`}: ready after ${elapsedMs.toFixed(0)} ms`,
    );
    if (index > 0) untracedMs.push(elapsedMs);
  }
  const untracedReadyMs = Math.min(...untracedMs);
  if (!(untracedReadyMs > 0)) throw new Error(`impossible time to ready: ${untracedReadyMs} ms`);

  const folder = await mkdtemp(path.join(tmpdir(), 'lazybench-strace-'));
  try {
    const logFile = path.join(folder, 'strace.log');
    const tracer = [
      ...['strace', '-f', '--seccomp-bpf', '-ttt', '-y', '-s', '0', '-o', logFile],
      ...['-e', 'signal=none', '-e', `trace=${tracedSystemCalls.join(',')}`],
    ];
    let sampler: PageSampler | undefined;
    const observed = await runInRoot(start, tracer, (chrootPath) => {
      sampler ??= new PageSampler(chrootPath, pageBytes, nowEpochMs());
      sampler.sample(nowEpochMs());
    });
    const events = readStraceLog(await readFile(logFile, 'utf8'));
    const entered = events.findIndex((event) => event.kind === 'chroot');
    const execMs = events.slice(entered + 1).find((event) => event.kind === 'exec')?.atEpochMs;
    if (entered < 0 || execMs === undefined)
      throw new Error(`strace saw no start of ${start.command.join(' ')} in the chroot`);
    const recordedReadyMs = observed.readyEpochMs - execMs;
    const recorded = recordedSteps({
      events,
      root: observed.chrootPath,
      pages: sampler?.samples ?? [],
      log: observed.log,
      timeScale: untracedReadyMs / recordedReadyMs,
      resolve: imageFiles(start.root),
    });
    if (recorded === undefined) throw new Error('the strace log shows no program start in the chroot');
    progress(`under strace: ready after ${recordedReadyMs.toFixed(0)} ms, ${recorded.steps.length} steps`);
    return {
      header: {
        kind: 'lazybench-trace',
        version: 1,
        command: [...start.command],
        recordedWith: `${strace}; pagemap sampled every 5 ms, ${pageBytes} B pages`,
        recordedOn: `Linux ${release().split('.', 2).join('.')}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`,
        note:
          `ready after ${untracedReadyMs.toFixed(1)} ms untraced with a warm page cache (fastest of ` +
          `${untracedStarts}), ${recordedReadyMs.toFixed(1)} ms while recording; times are scaled to the former. ` +
          `${recorded.unsampledFiles} mapped files ended unsampled: their first 64 KiB are assumed.`,
      },
      steps: recorded.steps,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
