import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './clock.ts';

// Date.now() has milliseconds only. Anchoring the monotonic clock to the wall clock once gives microseconds, but
// would miss later steps of the wall clock (NTP); so the anchor is renewed when both drift apart by over 2 ms.
let anchorNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
const maxDriftNs = 2_000_000n;

const wallNs = (): bigint => {
  const reckoned = anchorNs + process.hrtime.bigint();
  const coarse = BigInt(Date.now()) * 1_000_000n;
  const drift = reckoned - coarse;
  if (drift < 0n || drift > maxDriftNs) {
    anchorNs += coarse - reckoned;
    return coarse;
  }
  return reckoned;
};

/** The machine's own clocks. */
export const systemClock: Clock = {
  wallNs,
  monotonicNs: () => process.hrtime.bigint(),
  sleep: async (durationMs, signal) => {
    await delay(durationMs, undefined, signal === undefined ? {} : { signal });
  },
};
