import type { ClockSample, RawEvidence } from './raw-evidence.ts';

/** How far another clock is ahead of the client's (negative: behind), and how wrong that can be. */
export interface ClockOffset {
  readonly offsetNs: bigint;
  readonly boundNs: bigint;
}

/** An offset as measured at one instant of the client's clock. */
export interface OffsetSample extends ClockOffset {
  readonly atNs: bigint;
}

/**
 * Offset from round trips, as NTP computes it (RFC 5905, §8, with one time stamp on the far side): the sample with
 * the shortest round trip, whose error is at most half of it. Undefined without a usable sample; one that was
 * received before it was sent (the client's clock was set meanwhile) is not usable.
 */
export function offsetFromSamples(samples: readonly ClockSample[]): OffsetSample | undefined {
  let best: OffsetSample | undefined;
  for (const sample of samples) {
    const sentNs = BigInt(sample.sentNs);
    const receivedNs = BigInt(sample.receivedNs);
    if (receivedNs < sentNs) continue;
    const boundNs = (receivedNs - sentNs + 1n) / 2n;
    if (best !== undefined && best.boundNs <= boundNs) continue;
    const atNs = (sentNs + receivedNs) / 2n;
    best = { offsetNs: BigInt(sample.nodeNs) - atNs, boundNs, atNs };
  }
  return best;
}

/**
 * Offset of the node's clock over a trial: a straight line between the offsets before and after it. When both
 * disagree by more than their bounds and 200 ppm of drift, a clock was set during the trial; the bound then grows by
 * the disagreement and `stepNs` says so.
 */
export interface OffsetLine {
  at(clientNs: bigint): ClockOffset;
  readonly stepNs: bigint | undefined;
}

/** The node's offset line from the round trips before and after the trial; undefined when there are none. */
export function nodeOffsetLine(clock: RawEvidence['clock']): OffsetLine | undefined {
  const before = offsetFromSamples(clock.before);
  const after = offsetFromSamples(clock.after);
  const only = before ?? after;
  if (only === undefined) return undefined;
  if (before === undefined || after === undefined || after.atNs <= before.atNs)
    return { at: () => only, stepNs: undefined };
  const spanNs = after.atNs - before.atNs;
  const changeNs = after.offsetNs - before.offsetNs;
  const excessNs = magnitude(changeNs) - before.boundNs - after.boundNs - spanNs / 5000n;
  const stepNs = excessNs > 0n ? changeNs : undefined;
  const boundNs = larger(before.boundNs, after.boundNs) + (stepNs === undefined ? 0n : magnitude(changeNs));
  return {
    stepNs,
    at: (clientNs) => {
      const share = clientNs < before.atNs ? 0n : clientNs > after.atNs ? spanNs : clientNs - before.atNs;
      return { offsetNs: before.offsetNs + (changeNs * share) / spanNs, boundNs };
    },
  };
}

/** An instant on a foreign clock that happened, by causality, within a window of the client's clock. */
export interface CausalWindow {
  readonly foreignNs: bigint;
  readonly notBeforeNs: bigint;
  readonly notAfterNs: bigint;
}

/**
 * Offset of a clock that cannot be asked: each window bounds it, all of them together bound it best. Zero is
 * taken when nothing speaks against it (synchronised clocks are the rule), else the middle of what is possible.
 * Undefined without a window, and when the windows contradict each other (the clock was set).
 */
export function causalOffset(windows: readonly CausalWindow[]): ClockOffset | undefined {
  let low: bigint | undefined;
  let high: bigint | undefined;
  for (const { foreignNs, notBeforeNs, notAfterNs } of windows) {
    const least = foreignNs - notAfterNs;
    const most = foreignNs - notBeforeNs;
    low = low === undefined || least > low ? least : low;
    high = high === undefined || most < high ? most : high;
  }
  if (low === undefined || high === undefined || low > high) return undefined;
  const offsetNs = low <= 0n && high >= 0n ? 0n : (low + high) / 2n;
  return { offsetNs, boundNs: larger(offsetNs - low, high - offsetNs) };
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
