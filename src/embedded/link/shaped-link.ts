import net from 'node:net';
import { once } from 'node:events';
import type { Link } from '../../scenario/scenario.ts';
import type { Clock } from '../../units/clock.ts';
import { FairShaper } from './fair-shaper.ts';
import { DelayLine, type ShapedConnection } from './shaped-connection.ts';

/** Bytes that crossed the link, HTTP headers included, TCP/IP headers not: this is the node's network interface. */
export interface LinkCounters {
  /** Registry → node. */
  readonly rxBytes: number;
  /** Node → registry. */
  readonly txBytes: number;
}

/** A running link. Disposing it cuts every connection. */
export interface ShapedLink extends AsyncDisposable {
  /** Where the node connects instead of to the registry. */
  readonly host: string;
  readonly port: number;
  counters(): LinkCounters;
  /** Connections that hold a place now. */
  readonly openConnections: number;
}

/** A link that adds nothing: as fast as loopback. */
export const unshapedLink: Link = {
  rateBytesPerSecond: Infinity,
  latencyMs: 0,
  maxConnections: Number.MAX_SAFE_INTEGER,
};

/** Queue per connection in milliseconds of the link's rate: deep enough that a late timer never starves the link. */
const queueMs = 100;
const minimumQueueBytes = 64 * 1024;
const maximumQueueBytes = 8 * 1024 * 1024;

/**
 * A TCP proxy between one node and the registry that behaves like the link of a scenario: the download direction is
 * shaped to the rate and shared fairly over the node's connections, each direction is delayed by the latency, a new
 * connection costs one further round trip, and connections beyond the limit wait for one to close. What it does is
 * written down without a clock in link-model.ts; the test compares the two.
 */
export async function startShapedLink(options: {
  readonly link: Link;
  readonly target: { readonly host: string; readonly port: number };
  readonly clock: Clock;
}): Promise<ShapedLink> {
  const link = new RunningLink(options.link, options.target, options.clock);
  await link.listen();
  return link;
}

class RunningLink implements ShapedLink {
  readonly host = '127.0.0.1';
  readonly #link: Link;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #clock: Clock;
  readonly #server: net.Server;
  readonly #shaper: FairShaper<ShapedConnection>;
  readonly #queueLimitBytes: number;
  readonly #connections = new Set<ShapedConnection>();
  readonly #waiting: net.Socket[] = [];
  #port = 0;
  #rxBytes = 0;
  #txBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(link: Link, target: { readonly host: string; readonly port: number }, clock: Clock) {
    this.#link = link;
    this.#target = target;
    this.#clock = clock;
    this.#shaper = new FairShaper(link.rateBytesPerSecond);
    const deep = (link.rateBytesPerSecond / 1000) * queueMs;
    this.#queueLimitBytes = Math.min(maximumQueueBytes, Math.max(minimumQueueBytes, deep));
    this.#server = net.createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      (socket) => {
        this.#accept(socket);
      },
    );
  }

  get port(): number {
    return this.#port;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  counters(): LinkCounters {
    return { rxBytes: this.#rxBytes, txBytes: this.#txBytes };
  }

  async listen(): Promise<void> {
    this.#server.listen(0, this.host);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the link has no TCP address');
    this.#port = address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    for (const connection of [...this.#connections]) this.#cut(connection);
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    await closed;
  }

  #nowMs(): number {
    // Microseconds fit a double for 285 years; nanoseconds would not.
    return Number(this.#clock.monotonicNs() / 1000n) / 1000;
  }

  #accept(node: net.Socket): void {
    node.on('error', () => node.destroy());
    if (this.#connections.size < this.#link.maxConnections) {
      this.#open(node);
      return;
    }
    this.#waiting.push(node);
    node.once('close', () => {
      const index = this.#waiting.indexOf(node);
      if (index >= 0) this.#waiting.splice(index, 1);
    });
  }

  #open(node: net.Socket): void {
    const registry = net.connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const connection: ShapedConnection = {
      node,
      registry,
      establishedMs: this.#nowMs() + 2 * this.#link.latencyMs,
      up: new DelayLine((bytes) => {
        if (bytes === undefined) registry.end();
        else registry.write(bytes);
      }),
      down: new DelayLine((bytes) => this.#deliver(connection, bytes)),
      registryEnded: false,
    };
    this.#connections.add(connection);

    const sendUp = (bytes: Uint8Array | undefined): void => {
      this.#txBytes += bytes?.length ?? 0;
      connection.up.send(bytes, Math.max(this.#nowMs(), connection.establishedMs) + this.#link.latencyMs);
      this.#wake();
    };
    node.on('data', sendUp);
    node.once('end', () => sendUp(undefined));
    node.on('drain', () => {
      this.#shaper.setBlocked(connection, false);
      this.#wake();
    });
    registry.on('data', (bytes) => {
      this.#shaper.enqueue(connection, bytes, this.#nowMs());
      if (this.#shaper.queuedBytes(connection) > this.#queueLimitBytes) registry.pause();
      this.#wake();
    });
    registry.once('end', () => {
      connection.registryEnded = true;
      this.#endIfDrained(connection);
      this.#wake();
    });
    registry.on('error', () => this.#cut(connection));
    node.once('close', () => this.#cut(connection));
    node.resume();
  }

  #deliver(connection: ShapedConnection, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) {
      connection.node.end();
      return;
    }
    this.#rxBytes += bytes.length;
    if (!connection.node.write(bytes)) this.#shaper.setBlocked(connection, true);
  }

  #endIfDrained(connection: ShapedConnection): void {
    if (!connection.registryEnded || this.#shaper.queuedBytes(connection) > 0) return;
    connection.down.send(undefined, this.#nowMs() + this.#link.latencyMs);
  }

  #cut(connection: ShapedConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#shaper.remove(connection);
    connection.node.destroy();
    connection.registry.destroy();
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) this.#open(waiter);
  }

  /** Moves everything that is due, then sleeps until something else is. */
  #run(): void {
    const nowMs = this.#nowMs();
    for (const { flow, bytes, departedMs } of this.#shaper.advance(nowMs)) {
      flow.down.send(bytes, departedMs + this.#link.latencyMs);
      if (flow.registry.isPaused() && this.#shaper.queuedBytes(flow) < this.#queueLimitBytes / 2) {
        flow.registry.resume();
      }
      this.#endIfDrained(flow);
    }
    for (const connection of [...this.#connections]) {
      connection.up.deliverUntil(nowMs);
      connection.down.deliverUntil(nowMs);
    }
    this.#wake();
  }

  #wake(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    let dueMs = Infinity;
    for (const { up, down } of this.#connections) {
      dueMs = Math.min(dueMs, up.nextDueMs ?? Infinity, down.nextDueMs ?? Infinity);
    }
    const departsMs = this.#shaper.nextDepartureMs();
    if (departsMs === undefined && dueMs === Infinity) return;
    const waitMs = Math.min(dueMs, departsMs ?? Infinity) - this.#nowMs();
    const run = (): void => this.#run();
    // Timers have a millisecond's grain and come up to one late. While bytes stream that only makes their steps
    // coarser, so it is enough; a lone piece in flight would arrive late by it, so its last moments are waited out
    // in turns of the event loop.
    const timerMs = departsMs === undefined ? Math.floor(waitMs) - 1 : Math.max(1, Math.floor(waitMs));
    if (waitMs <= 0 || timerMs < 1) this.#immediate = setImmediate(run);
    else this.#timer = setTimeout(run, timerMs);
  }
}
