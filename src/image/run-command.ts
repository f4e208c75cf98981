import { $ } from 'zx/core';

/** How an external program ended. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program may be run. */
export interface CommandOptions {
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string;
  /** Variables added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs an external program; replaced in tests. A program that cannot be started ends with exit code 127. */
export type RunCommand = (command: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

/** Runs a program to its end, without a shell's interpretation of its arguments, printing nothing. */
export const runCommand: RunCommand = async (command, options = {}) => {
  const shell = $({
    quiet: true,
    nothrow: true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.environment === undefined ? {} : { env: { ...process.env, ...options.environment } }),
  });
  const result = await shell`${[...command]}`;
  return { exitCode: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr };
};
