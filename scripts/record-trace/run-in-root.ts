import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import readline from 'node:readline';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogLine } from '../../src/image/recorded-steps.ts';
import { processesIn } from './page-sampler.ts';

/** What to start, and when it counts as ready. */
export interface ProgramStart {
  /** Unpacked image. It is never written to: the program gets an overlay on it. */
  readonly root: string;
  readonly command: readonly string[];
  /** The program's whole environment, besides PATH. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ready: RegExp;
  readonly timeoutMs: number;
  /** How long the program goes on after ready. */
  readonly lingerMs: number;
}

/** One start that reached ready. */
export interface ObservedStart {
  /** The chroot as /proc and strace name it. */
  readonly chrootPath: string;
  /** When everything was prepared and chroot was about to start the program. */
  readonly launchedEpochMs: number;
  readonly readyEpochMs: number;
  readonly log: readonly LogLine[];
}

/** Wall clock with sub-millisecond digits, the same clock that strace -ttt prints. */
export const nowEpochMs = (): number => performance.timeOrigin + performance.now();

// The mounts live in a mount namespace of their own, so they vanish with its last process. Descriptor 3 tells the
// time at which everything was prepared.
const prepareScript = `set -eu
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$3"
mkdir -p "$3/proc" "$3/dev" "$3/sys" "$3/tmp"
mount -t proc proc "$3/proc"
mount --rbind /dev "$3/dev"
mount --rbind /sys "$3/sys"
shift 3
date +%s%N >&3
exec 3>&-
exec "$@"`;

/** PATH of a container whose image sets none (containerd, oci/spec.go). */
const containerPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const stop = async (chrootPath: string, ended: Promise<unknown>): Promise<void> => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of processesIn(chrootPath)) {
      try {
        process.kill(pid, signal);
      } catch {
        // Ended by itself meanwhile.
      }
    }
    if (await Promise.race([ended.then(() => true), delay(2000, false)])) return;
  }
  await ended;
};

/**
 * Starts a program in a chroot on an overlay of `root`, waits for its ready line and the linger time, stops it.
 * Needs root.
 *
 * @param tracer - Command in front of chroot (strace with its options), or nothing.
 * @param onTick - Called about every 5 ms from launch to the end.
 * @throws Error when the program ends, or `timeoutMs` passes, before the ready line.
 */
export async function runInRoot(
  start: ProgramStart,
  tracer: readonly string[] = [],
  onTick?: (chrootPath: string) => void,
): Promise<ObservedStart> {
  const root = await realpath(start.root);
  const scratch = await realpath(await mkdtemp(path.join(tmpdir(), 'lazybench-trace-')));
  const chrootPath = path.join(scratch, 'merged');
  await Promise.all(['merged', 'upper', 'work'].map((name) => mkdir(path.join(scratch, name))));
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'sh', '-c', prepareScript, 'sh'],
      ...[root, scratch, chrootPath],
      ...[...tracer, 'chroot', chrootPath, ...start.command],
    ],
    { env: { PATH: containerPath, ...start.environment }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  );
  const ended = once(child, 'close');
  let ticker: NodeJS.Timeout | undefined;
  try {
    const log: LogLine[] = [];
    const timeOutput = child.stdio[3];
    const launchedNs =
      timeOutput instanceof Readable ? text(timeOutput).then(Number, () => Number.NaN) : Number.NaN;
    const readyEpochMs = await new Promise<number>((resolve, reject) => {
      const failure = (what: string): Error =>
        new Error(`${start.command.join(' ')}: ${what}\n${log.map(({ line }) => line).join('\n')}`);
      setTimeout(() => reject(failure(`not ready within ${start.timeoutMs} ms`)), start.timeoutMs).unref();
      ended.then(([code]) => reject(failure(`ended with ${String(code)} before the ready line`)), reject);
      for (const stream of [child.stdout, child.stderr]) {
        if (stream === null) continue;
        readline.createInterface({ input: stream }).on('line', (line) => {
          const atEpochMs = nowEpochMs();
          log.push({ atEpochMs, line });
          if (start.ready.test(line)) resolve(atEpochMs);
        });
      }
      if (onTick !== undefined) ticker = setInterval(() => onTick(chrootPath), 5);
    });
    await delay(start.lingerMs);
    onTick?.(chrootPath);
    return { chrootPath, launchedEpochMs: (await launchedNs) / 1e6, readyEpochMs, log: [...log] };
  } finally {
    clearInterval(ticker);
    try {
      await stop(chrootPath, ended);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}
