import { HarnessError } from '../errors/harness-error.ts';

const unwritable = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'ENOENT',
  'EEXIST',
  'EISDIR',
  'ENAMETOOLONG',
]);

/**
 * What a failed write means to the user: DISK_FULL for a full disk or quota, OUTPUT_UNWRITABLE for a place that cannot
 * be written to. Anything else comes back as it is.
 */
export function writeError(error: unknown, place: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new HarnessError('DISK_FULL', `The disk is full: ${place} could not be written.`, {
      cause: error,
      details: { path: place },
    });
  if (typeof code === 'string' && unwritable.has(code))
    return new HarnessError('OUTPUT_UNWRITABLE', `${place} could not be written (${code}).`, {
      cause: error,
      details: { path: place },
    });
  return error;
}
