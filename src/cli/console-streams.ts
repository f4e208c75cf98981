/** An output as commands see it: a terminal or a pipe. */
export interface OutputStream {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

/** Where a command reads its surroundings from and writes to: results to `stdout`, everything else to `stderr`. */
export interface CommandContext {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly isDebug: boolean;
  /** Colour is wanted (NO_COLOR is not set). */
  readonly isColorAllowed: boolean;
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** The command line as it was given, to be recorded and shown in reports. */
  readonly command: readonly string[];
}
