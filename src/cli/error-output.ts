import { HarnessError } from '../errors/harness-error.ts';

/** What is told about an error, and the exit code it stands for. */
export interface ToldError {
  readonly text: string;
  readonly exitCode: number;
}

/**
 * The one place where an error becomes text: message and hint for what a user can meet; for a bug the message and how
 * to see more. A stack only with --debug.
 */
export function tellError(error: unknown, isDebug: boolean): ToldError {
  const stack = isDebug && error instanceof Error ? `\n${causes(error).join('\n')}` : '';
  if (error instanceof HarnessError)
    return {
      text: `error: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}${stack}`,
      exitCode: error.exitCode,
    };
  const message = error instanceof Error ? error.message : String(error);
  return {
    text: `internal error: ${message}\n${isDebug ? '' : 'hint: This is a bug in lazybench. Run again with --debug and report what it prints.\n'}${stack}`,
    exitCode: 1,
  };
}

function causes(error: Error): string[] {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error
    ? [own, ...causes(error.cause).map((line) => `caused by ${line}`)]
    : [own];
}
