import type { Summary } from './summary.ts';

/** Process exit code that a summary stands for: 0 when its verdict can be trusted, else 4 (README, "Exit codes"). */
export function summaryExitCode({ standing }: Pick<Summary, 'standing'>): 0 | 4 {
  return standing === 'ok' ? 0 : 4;
}
