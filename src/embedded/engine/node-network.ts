import { Agent, buildConnector, type Dispatcher } from 'undici';
import type { Link } from '../../scenario/scenario.ts';
import type { Clock } from '../../units/clock.ts';
import { startShapedLink, type LinkCounters } from '../link/shaped-link.ts';

/** A node's way to the registry: every connection it makes goes through its shaped link. */
export interface NodeNetwork extends AsyncDisposable {
  /** For HTTP clients: URLs name the registry, connections go to the link. */
  readonly dispatcher: Dispatcher;
  counters(): LinkCounters;
}

/** More than this is not opened to one registry even where the link would let it. */
const maxConnections = 64;

/** Starts a node's link to the registry at `target`, and the dispatcher that goes through it. */
export async function startNodeNetwork(options: {
  readonly link: Link;
  readonly target: { readonly host: string; readonly port: number };
  readonly clock: Clock;
}): Promise<NodeNetwork> {
  const link = await startShapedLink(options);
  const connect = buildConnector({});
  const dispatcher = new Agent({
    // An idle connection keeps its place on the link, so the pool must not hold more than the link admits.
    connections: Math.min(options.link.maxConnections, maxConnections),
    pipelining: 1,
    connect: (target, callback) => {
      connect(
        { ...target, protocol: 'http:', hostname: link.host, host: link.host, port: String(link.port) },
        callback,
      );
    },
    // The link may be slow on purpose: how long is too long is the scenario's business, not the client's.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    dispatcher,
    counters: () => link.counters(),
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy();
      await link[Symbol.asyncDispose]();
    },
  };
}
