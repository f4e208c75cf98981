import process from 'node:process';

/** How the user asked to stop, and the signal that long work listens to. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** 130 (SIGINT) or 143 (SIGTERM) once that was asked for. */
  readonly exitCode: number | undefined;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The first SIGINT or SIGTERM aborts `signal`: stop, clean up, write what was measured. A second one ends the process
 * the way it would have without us.
 */
export function listenForInterruption(write: (text: string) => void): Interruption & Disposable {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const onSignal = (name: keyof typeof exitCodes): void => {
    if (exitCode !== undefined) {
      dispose();
      process.kill(process.pid, name);
      return;
    }
    exitCode = exitCodes[name];
    write(`\n${name}: stopping, cleaning up and keeping what was measured; once more to quit at once.\n`);
    controller.abort(new Error(`interrupted by ${name}`));
  };
  const dispose = (): void => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]: dispose,
  };
}
