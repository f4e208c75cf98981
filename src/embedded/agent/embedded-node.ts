import type { NodeRuntime } from '../engine/node-runtime.ts';
import type { LinkCounters } from '../link/shaped-link.ts';

/** What the embedded agent knows of its node. */
export interface EmbeddedNode {
  readonly name: string;
  readonly runtime: NodeRuntime;
  /** Counters of the node's link: its network interface. */
  readonly linkCounters: () => LinkCounters;
  readonly amplifyBytes: number;
}
