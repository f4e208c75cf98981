import { HarnessError } from '../errors/harness-error.ts';
import { runCommand as tryCommand, type CommandOptions } from '../image/run-command.ts';

/** Runs a program to its end and returns what it printed; a failing one is LAB_FAILED with its own last words. */
export async function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryCommand(command, options);
  if (result.exitCode !== 0) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-3).join(' · ');
    throw new HarnessError('LAB_FAILED', `\`${command.slice(0, 4).join(' ')}\` failed: ${said}`);
  }
  return result.stdout;
}
