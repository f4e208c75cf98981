import { $ } from 'zx/core';
import { HarnessError } from '../errors/harness-error.ts';

/** What a finished command said. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command may be run. */
export interface CommandOptions {
  readonly signal?: AbortSignal | undefined;
  readonly input?: string;
  readonly cwd?: string;
  /** Variables added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs an external program to its end and returns what it said, whatever its exit code. */
export async function tryCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const shell = $({
    quiet: true,
    nothrow: true,
    env: { ...process.env, ...options.environment },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const result = await shell`${[...command]}`;
  return { exitCode: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr };
}

/** Like {@link tryCommand}, but a failing program is a LAB_FAILED error with its own last words. */
export async function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryCommand(command, options);
  if (result.exitCode !== 0) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-3).join(' · ');
    throw new HarnessError('LAB_FAILED', `\`${command.slice(0, 4).join(' ')}\` failed: ${said}`);
  }
  return result.stdout;
}
