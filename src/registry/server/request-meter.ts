import type { MeterRequest } from '../../evidence/raw-evidence.ts';
import type { Meter } from '../meter.ts';

/** Keeps every request in the order in which they finished. */
export class RequestMeter implements Meter {
  readonly #requests: MeterRequest[] = [];

  /** Adds a finished request. */
  record(request: MeterRequest): void {
    this.#requests.push(request);
  }

  since(cursor: number): Promise<{ readonly requests: readonly MeterRequest[]; readonly cursor: number }> {
    return Promise.resolve({ requests: this.#requests.slice(cursor), cursor: this.#requests.length });
  }
}
