import type { Mark } from './raw-evidence.ts';
import type { Traffic } from './trial.ts';

/** Bytes and requests up to a mark, with the name of who counted them. */
export interface MovedBytes {
  readonly bytes: number;
  readonly requests: number | undefined;
  /** `meter`, `node` (container runtime and nydusd together) or `nic`. Both arms of a pair must agree on it. */
  readonly countedBy: 'meter' | 'node' | 'nic';
}

/**
 * What was moved up to a mark by the best source there is: the meter (every request), else the node's own engines,
 * else its network interface (headers, retransmissions and neighbours included).
 */
export function movedBytes(traffic: Pick<Traffic, 'bySource'>, mark: Mark): MovedBytes | undefined {
  const row = (source: string): Traffic['bySource'][number] | undefined =>
    traffic.bySource.find((one) => one.source === source && one.mark === mark);
  const meter = row('meter');
  if (meter !== undefined) return { bytes: meter.bytes, requests: meter.requests, countedBy: 'meter' };
  const node = countedByNode(traffic, mark);
  if (node !== undefined) return node;
  const nic = row('nic');
  return nic && { bytes: nic.bytes, requests: undefined, countedBy: 'nic' };
}

/**
 * What the node's own engines counted: the container runtime (manifest, config, layers, bootstrap) plus nydusd
 * (chunks). Undefined without the runtime's count, since nydusd alone is only a part.
 */
export function countedByNode(traffic: Pick<Traffic, 'bySource'>, mark: Mark): MovedBytes | undefined {
  const rows = traffic.bySource.filter((one) => one.mark === mark);
  const runtime = rows.find(({ source }) => source === 'containerd');
  if (runtime === undefined) return undefined;
  const nydusd = rows.find(({ source }) => source === 'nydusd');
  const requests = runtime.requests === undefined ? undefined : runtime.requests + (nydusd?.requests ?? 0);
  return { bytes: runtime.bytes + (nydusd?.bytes ?? 0), requests, countedBy: 'node' };
}
