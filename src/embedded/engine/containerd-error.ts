import { HarnessError } from '../../errors/harness-error.ts';

const isErrno = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'code' in error;

/** Go's wording of the system errors that a pull can meet; Node's own sentence for the others. */
const wording: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'read-only file system',
  EACCES: 'permission denied',
};

/** Says a system error as containerd (Go) does: `write /path: no space left on device`. */
function inGoWords(error: unknown): string {
  if (!isErrno(error)) return error instanceof Error ? error.message : String(error);
  const words = error.code === undefined ? undefined : wording[error.code];
  if (words === undefined) return error.message;
  return error.path === undefined ? words : `${error.syscall ?? 'open'} ${error.path}: ${words}`;
}

/** Puts containerd's context in front of an error, and keeps its code: `context: what went wrong`. */
export function inContext(context: string, error: unknown): HarnessError {
  const message = `${context}: ${inGoWords(error)}`;
  if (error instanceof HarnessError) {
    return new HarnessError(error.code, message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      details: error.details,
      cause: error,
    });
  }
  const isFull = isErrno(error) && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return new HarnessError(isFull ? 'DISK_FULL' : 'IMAGE_CORRUPT', message, { cause: error });
}
