import type { Socket } from 'node:net';

/** Bytes, or the end of a direction, on their way through the link's latency. */
interface InFlight {
  readonly dueMs: number;
  /** undefined: the sender has closed this direction. */
  readonly bytes: Uint8Array | undefined;
}

/** One direction's latency: what went in comes out in order, each piece at its due time. */
export class DelayLine {
  readonly #flight: InFlight[] = [];
  readonly #deliver: (bytes: Uint8Array | undefined) => void;

  constructor(deliver: (bytes: Uint8Array | undefined) => void) {
    this.#deliver = deliver;
  }

  send(bytes: Uint8Array | undefined, dueMs: number): void {
    this.#flight.push({ bytes, dueMs });
  }

  /** When the next piece is due; undefined while nothing is in flight. */
  get nextDueMs(): number | undefined {
    return this.#flight[0]?.dueMs;
  }

  /** Hands over everything that is due at `nowMs`. */
  deliverUntil(nowMs: number): void {
    for (;;) {
      const head = this.#flight[0];
      if (head === undefined || head.dueMs > nowMs) return;
      this.#flight.shift();
      this.#deliver(head.bytes);
    }
  }
}

/** One proxied TCP connection: the node's socket, the registry's socket and what is in flight between them. */
export interface ShapedConnection {
  readonly node: Socket;
  readonly registry: Socket;
  /** Before this instant the handshake is still under way: nothing of the node's has left. */
  readonly establishedMs: number;
  readonly up: DelayLine;
  readonly down: DelayLine;
  /** The registry has closed its side; the end follows its last byte through the shaper. */
  registryEnded: boolean;
}
