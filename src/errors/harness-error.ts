import { definitions, type ErrorCode } from './definitions.ts';

/** How a {@link HarnessError} looks in JSON, so that an error met on a node can be shown by the CLI. */
export interface SerializedHarnessError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a caller may add to a definition from the table. */
export interface HarnessErrorOptions {
  /** What to try next; replaces the definition's hint. */
  readonly hint?: string;
  /** Facts for machines (path, line, column, digest …); never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error class for everything a user can meet. Its code selects a definition, and with it the exit code
 * and the default hint. Anything else that is thrown is a bug in lazybench and ends with exit code 1.
 */
export class HarnessError extends Error {
  override readonly name = 'HarnessError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: HarnessErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? definitions[code].hint;
    this.details = options.details ?? {};
  }

  /** Process exit code that this error stands for (README, "Exit codes"). */
  get exitCode(): number {
    return definitions[this.code].exitCode;
  }

  toJSON(): SerializedHarnessError {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      details: this.details,
    };
  }
}
