import type { MeterRequest } from '../evidence/raw-evidence.ts';
import type { Meter } from '../registry/meter.ts';

/** Reads a meter piece by piece: one for a whole run, so that no request is read twice or belongs to two trials. */
export class MeterReader {
  readonly #meter: Meter;
  #cursor = 0;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Requests that finished since the last call. */
  async read(): Promise<readonly MeterRequest[]> {
    const { requests, cursor } = await this.#meter.since(this.#cursor);
    this.#cursor = cursor;
    return requests;
  }
}
