import { summaryExitCode } from '../decision/exit-code.ts';
import type { CommandContext } from './console-streams.ts';
import { writeReports } from './write-reports.ts';

/** `lazybench report RUN_DIR`: judges and renders again what was gathered once. */
export async function report(
  directory: string,
  options: { readonly format: 'text' | 'json' },
  context: CommandContext,
): Promise<number> {
  const { summary } = await writeReports(directory, options.format, context);
  return summaryExitCode(summary);
}
