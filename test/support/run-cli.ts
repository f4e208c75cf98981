import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

/** How a process of the command line ended. */
export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const main = path.resolve(import.meta.dirname, '../../src/cli/main.ts');

/** Runs `lazybench` from its sources. `onStderr` sees all of stderr so far and may send a signal. */
export function runCli(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly onStderr?: (stderr: string, kill: (signal: 'SIGINT' | 'SIGTERM') => void) => void;
  } = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: options.cwd,
    env: { ...process.env, KUBECONFIG: '/nowhere/kubeconfig', ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}
