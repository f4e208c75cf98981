/** A piece of a flow that has left the shaper, with the instant at which its last byte was on the wire. */
export interface Departure<Flow> {
  readonly flow: Flow;
  readonly bytes: Uint8Array;
  readonly departedMs: number;
}

interface Queue {
  readonly pieces: { readonly bytes: Uint8Array; readonly arrivedMs: number }[];
  queuedBytes: number;
  blocked: boolean;
}

/**
 * Bytes that one flow may send before it is the next one's turn. Small, so that flows share the link as fairly as
 * TCP flows would; not so small that a fast link costs a timer per packet.
 */
const quantumBytes = 16 * 1024;

/**
 * Shares one rate over flows, round robin, in virtual time: bytes depart when a link of this rate would have sent
 * them, counted from their arrival, however late `advance` is called. So a late timer makes bytes late once, but
 * never makes the link slower than it is. No clock and no timers in here.
 */
export class FairShaper<Flow> {
  readonly #bytesPerMs: number;
  readonly #queues = new Map<Flow, Queue>();
  #busyUntilMs = 0;

  constructor(rateBytesPerSecond: number) {
    this.#bytesPerMs = rateBytesPerSecond / 1000;
  }

  /** Adds bytes behind what the flow has queued already. */
  enqueue(flow: Flow, bytes: Uint8Array, arrivedMs: number): void {
    const queue = this.#queueOf(flow);
    for (let at = 0; at < bytes.length; at += quantumBytes) {
      queue.pieces.push({ bytes: bytes.subarray(at, at + quantumBytes), arrivedMs });
    }
    queue.queuedBytes += bytes.length;
  }

  /** Bytes of the flow that have not departed yet. */
  queuedBytes(flow: Flow): number {
    return this.#queues.get(flow)?.queuedBytes ?? 0;
  }

  /** A blocked flow keeps its queue but gets no share: its receiver's window is full. */
  setBlocked(flow: Flow, blocked: boolean): void {
    this.#queueOf(flow).blocked = blocked;
  }

  /** Forgets a flow and what it has queued. */
  remove(flow: Flow): void {
    this.#queues.delete(flow);
  }

  /** When the next piece departs; undefined while nothing may. */
  nextDepartureMs(): number | undefined {
    return this.#pick()?.departsMs;
  }

  /** Everything that has departed by `nowMs`, in order. */
  *advance(nowMs: number): Generator<Departure<Flow>> {
    for (;;) {
      const picked = this.#pick();
      if (picked === undefined || picked.departsMs > nowMs) return;
      const { flow, queue, departsMs } = picked;
      const piece = queue.pieces.shift();
      if (piece === undefined) return;
      queue.queuedBytes -= piece.bytes.length;
      this.#busyUntilMs = departsMs;
      // A map keeps insertion order: the flow that had its turn goes to the end.
      this.#queues.delete(flow);
      this.#queues.set(flow, queue);
      yield { flow, bytes: piece.bytes, departedMs: departsMs };
    }
  }

  /** Whose turn it is: the first flow that had something when the wire became free, else the earliest arrival. */
  #pick(): { flow: Flow; queue: Queue; departsMs: number } | undefined {
    let best: { flow: Flow; queue: Queue; departsMs: number } | undefined;
    let bestStartMs = Infinity;
    for (const [flow, queue] of this.#queues) {
      const head = queue.pieces[0];
      if (head === undefined || queue.blocked) continue;
      const startMs = Math.max(this.#busyUntilMs, head.arrivedMs);
      if (startMs >= bestStartMs) continue;
      bestStartMs = startMs;
      best = { flow, queue, departsMs: startMs + head.bytes.length / this.#bytesPerMs };
    }
    return best;
  }

  #queueOf(flow: Flow): Queue {
    const found = this.#queues.get(flow);
    if (found !== undefined) return found;
    const made: Queue = { pieces: [], queuedBytes: 0, blocked: false };
    this.#queues.set(flow, made);
    return made;
  }
}
