import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HarnessError } from '../errors/harness-error.ts';

/** A process that the lab started. The start time tells it from a later process with the same number. */
interface StartedProcess {
  readonly name: string;
  readonly pid: number;
  readonly startTicks: string;
}

/** Start time in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)); undefined when there is no such process. */
async function startTicksOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
    // The command name (field 2) may hold spaces and parentheses: count from the last one. A zombie is over.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The lab's long-running processes, kept as one small file each, so that another invocation can stop them. */
export class ProcessTable {
  private readonly directory: string;
  private readonly logDirectory: string;

  constructor(directory: string, logDirectory: string) {
    this.directory = directory;
    this.logDirectory = logDirectory;
  }

  /** Starts `command` in a session of its own, with its output in `<log>/<name>.log`. */
  async start(
    name: string,
    command: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const [file, ...args] = command;
    if (file === undefined) throw new TypeError('no command');
    const log = openSync(path.join(this.logDirectory, `${name}.log`), 'a');
    try {
      const child = spawn(file, args, {
        detached: true,
        stdio: ['ignore', log, log],
        env: { ...process.env, ...environment },
        cwd: this.directory,
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      const pid = child.pid;
      if (pid === undefined) throw new HarnessError('LAB_FAILED', `${name} did not start`);
      child.unref();
      const startTicks = (await startTicksOf(pid)) ?? '';
      const started: StartedProcess = { name, pid, startTicks };
      await writeFile(path.join(this.directory, `${name}.process.json`), JSON.stringify(started));
    } finally {
      closeSync(log);
    }
  }

  /** The processes on record and whether each still runs. */
  async list(): Promise<
    readonly { readonly name: string; readonly pid: number; readonly isRunning: boolean }[]
  > {
    const files = (await readdir(this.directory).catch(() => [])).filter((file) =>
      file.endsWith('.process.json'),
    );
    return Promise.all(
      files.sort().map(async (file) => {
        const { name, pid, startTicks } = parseStarted(
          await readFile(path.join(this.directory, file), 'utf8'),
        );
        return { name, pid, isRunning: (await startTicksOf(pid)) === startTicks };
      }),
    );
  }

  /** Ends the named processes (all without names): asks first, then insists after `graceMs`. Forgets them. */
  async stop(options: { readonly graceMs: number; readonly names?: readonly string[] }): Promise<void> {
    const mine = (await this.list()).filter(({ name }) => options.names?.includes(name) ?? true);
    const alive = mine.filter((entry) => entry.isRunning);
    const firstSignal = options.graceMs > 0 ? 'SIGTERM' : 'SIGKILL';
    for (const { pid } of alive) sendSignal(pid, firstSignal);
    if (!(await this.waitForEnd(alive, options.graceMs))) {
      for (const { pid } of alive) sendSignal(pid, 'SIGKILL');
      if (!(await this.waitForEnd(alive, 5000))) {
        throw new HarnessError(
          'LAB_FAILED',
          `some processes do not end: ${alive.map((p) => p.name).join(', ')}`,
        );
      }
    }
    for (const { name } of mine) await rm(path.join(this.directory, `${name}.process.json`), { force: true });
  }

  private async waitForEnd(entries: readonly { readonly name: string }[], limitMs: number): Promise<boolean> {
    const names = new Set(entries.map((entry) => entry.name));
    for (let waitedMs = 0; ; waitedMs += 50) {
      if (!(await this.list()).some(({ name, isRunning }) => isRunning && names.has(name))) return true;
      if (waitedMs >= limitMs) return false;
      await delay(50);
    }
  }
}

/** Signals the whole session's process group, else the process alone. */
function sendSignal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // No such group or process: it is over, or it never led a group.
    }
  }
}

function parseStarted(text: string): StartedProcess {
  const value: unknown = JSON.parse(text);
  if (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'startTicks' in value &&
    typeof value.startTicks === 'string'
  ) {
    return { name: value.name, pid: value.pid, startTicks: value.startTicks };
  }
  throw new HarnessError('LAB_FAILED', 'a process record of the lab is damaged');
}
