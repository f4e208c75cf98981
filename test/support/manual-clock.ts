import type { Clock } from '../../src/units/clock.ts';

interface Sleeper {
  readonly untilNs: bigint;
  readonly wake: () => void;
}

/** A clock that stands still until it is told to go on, but for the microsecond that each reading takes: no two are the same. */
export class ManualClock implements Clock {
  #nowNs: bigint;
  #sleepers: Sleeper[] = [];
  readonly #startNs: bigint;

  constructor(startNs = 1_795_428_000_123_456_789n) {
    this.#nowNs = startNs;
    this.#startNs = startNs;
  }

  wallNs(): bigint {
    this.#nowNs += 1000n;
    return this.#nowNs;
  }

  monotonicNs(): bigint {
    return this.#nowNs - this.#startNs;
  }

  /** How many are asleep. */
  get asleep(): number {
    return this.#sleepers.length;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = {
        untilNs: this.#nowNs + BigInt(Math.round(durationMs * 1e6)),
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = (): void => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      if (signal?.aborted === true) {
        abort();
        return;
      }
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Moves time on and wakes whoever has slept long enough, in order; resolves when they have reacted. */
  async advance(durationMs: number): Promise<void> {
    this.#nowNs += BigInt(Math.round(durationMs * 1e6));
    const due = this.#sleepers.filter((each) => each.untilNs <= this.#nowNs);
    this.#sleepers = this.#sleepers.filter((each) => each.untilNs > this.#nowNs);
    for (const each of due.sort((a, b) => (a.untilNs < b.untilNs ? -1 : 1))) each.wake();
    await new Promise(setImmediate);
  }
}
