import type { Link } from '../../scenario/scenario.ts';

/** One request of a connection: it is sent when the previous one is answered, plus `thinkMs`. */
export interface ModelRequest {
  readonly responseBytes: number;
  readonly thinkMs?: number;
}

/** Requests that share one connection, one after the other; the connection closes after the last answer. */
export interface ModelConnection {
  /** When the node asks for the connection. */
  readonly startMs: number;
  readonly requests: readonly ModelRequest[];
}

/** When a request left the node, and when the first and the last byte of its answer reached it. */
export interface ModelArrival {
  readonly sentMs: number;
  readonly firstByteMs: number;
  readonly lastByteMs: number;
}

interface Transfer {
  readonly connection: number;
  remainingBytes: number;
  readonly sentMs: number;
  readonly beganMs: number;
}

type Event =
  | { readonly kind: 'open'; readonly atMs: number; readonly connection: number }
  | { readonly kind: 'send'; readonly atMs: number; readonly connection: number; readonly sentMs: number }
  | { readonly kind: 'close'; readonly atMs: number };

/**
 * What a shaped link does, reckoned without a clock: the truth the real link is tested against. Request bytes cost
 * latency only; a new connection costs one further round trip; answers share the rate equally at every instant
 * (fluid processor sharing); a connection beyond `maxConnections` waits, first come first served, for one to close.
 * The server answers at once.
 */
export function modelArrivals(
  link: Link,
  connections: readonly ModelConnection[],
): readonly (readonly ModelArrival[])[] {
  const arrivals: ModelArrival[][] = connections.map(() => []);
  const events: Event[] = connections.map(({ startMs }, connection) => ({
    kind: 'open',
    atMs: startMs,
    connection,
  }));
  const waiting: number[] = [];
  const bytesPerMs = link.rateBytesPerSecond / 1000;
  let open = 0;
  let transfers: Transfer[] = [];
  let nowMs = 0;

  const next = (connection: number, freeMs: number): void => {
    const request = connections[connection]?.requests[arrivals[connection]?.length ?? 0];
    if (request === undefined) {
      events.push({ kind: 'close', atMs: freeMs });
      return;
    }
    const sentMs = freeMs + (request.thinkMs ?? 0);
    events.push({ kind: 'send', atMs: sentMs + link.latencyMs, connection, sentMs });
  };
  const establish = (connection: number): void => {
    open += 1;
    next(connection, nowMs + 2 * link.latencyMs);
  };
  const finish = (transfer: Transfer): void => {
    const lastByteMs = nowMs + link.latencyMs;
    arrivals[transfer.connection]?.push({
      sentMs: transfer.sentMs,
      firstByteMs: transfer.beganMs + link.latencyMs,
      lastByteMs,
    });
    next(transfer.connection, lastByteMs);
  };

  for (;;) {
    events.sort((a, b) => a.atMs - b.atMs);
    const event = events[0];
    const smallest = Math.min(...transfers.map(({ remainingBytes }) => remainingBytes));
    const doneMs = transfers.length === 0 ? Infinity : nowMs + (smallest * transfers.length) / bytesPerMs;
    if (event === undefined && transfers.length === 0) return arrivals;

    const untilMs = Math.min(doneMs, event?.atMs ?? Infinity);
    const share = transfers.length === 0 ? 0 : ((untilMs - nowMs) * bytesPerMs) / transfers.length;
    for (const transfer of transfers) transfer.remainingBytes -= share;
    nowMs = untilMs;
    if (event === undefined || doneMs <= event.atMs) {
      // Whoever is within a thousandth of a byte is done too: rounding must not leave a transfer that never ends.
      const done = transfers.filter(({ remainingBytes }) => remainingBytes < 1e-3);
      transfers = transfers.filter(({ remainingBytes }) => remainingBytes >= 1e-3);
      for (const transfer of done) finish(transfer);
      continue;
    }
    events.shift();
    switch (event.kind) {
      case 'open':
        if (open < link.maxConnections) establish(event.connection);
        else waiting.push(event.connection);
        break;
      case 'send': {
        const { connection, sentMs } = event;
        const index = arrivals[connection]?.length ?? 0;
        const remainingBytes = connections[connection]?.requests[index]?.responseBytes ?? 0;
        transfers.push({ connection, remainingBytes, sentMs, beganMs: nowMs });
        break;
      }
      case 'close': {
        open -= 1;
        const waiter = waiting.shift();
        if (waiter !== undefined) establish(waiter);
        break;
      }
    }
  }
}
