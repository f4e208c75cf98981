import { HarnessError } from '../../errors/harness-error.ts';

/** A bootstrap that cannot be read: `what` is wrong, `where` names the structure (with its byte offset or nid). */
export function bootstrapInvalid(what: string, where: string): HarnessError {
  return new HarnessError('BOOTSTRAP_INVALID', `RAFS bootstrap: ${what} (${where})`, {
    details: { what, where },
  });
}
