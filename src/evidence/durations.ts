import type { TimelineReading } from './timeline.ts';
import {
  durationNames,
  type CompletedTrial,
  type Duration,
  type DurationName,
  type Instant,
  type InstantName,
} from './trial.ts';

/** Which instants each duration lies between. The first seven tile a trial from submit to ready. */
const ends: Readonly<Record<DurationName, readonly [from: InstantName, to: InstantName]>> = {
  schedule: ['submitted', 'scheduled'],
  prepare: ['scheduled', 'pulling'],
  pull: ['pulling', 'pulled'],
  create: ['pulled', 'created'],
  start: ['created', 'started'],
  startToFirstLog: ['started', 'firstLog'],
  firstLogToReady: ['firstLog', 'ready'],
  startToReady: ['started', 'ready'],
  timeToReady: ['submitted', 'ready'],
  podToReady: ['pulling', 'ready'],
};

/** Above this bound the node's clock says less about time to ready than the client's own clock does. */
const looseOffsetNs = 100_000_000n;

/**
 * The durations that a timeline gives; one with an end that was not measured is absent. Ends on one clock are
 * subtracted as they are; across clocks both are moved to the client's clock and the offset's bound is added to the
 * error. Negative ones are kept and flagged. Where the image was present there is no pull: the preparation then ends
 * with the kubelet saying so.
 */
export function measureDurations(reading: TimelineReading): {
  readonly durations: CompletedTrial['durations'];
  readonly flags: readonly string[];
} {
  const durations: CompletedTrial['durations'] = {};
  const flags: string[] = [];
  for (const name of durationNames) {
    const measured = measure(name, reading, flags);
    if (measured === undefined) continue;
    durations[name] = measured;
    if (measured.durationMs < 0)
      flags.push(
        `${name}: negative (${measured.durationMs.toFixed(3)} ms): the order of events or a clock is off`,
      );
  }
  return { durations, flags };
}

/**
 * Whether two durations may form a pair: measured by the same sources at both ends. A difference between, say, an
 * event's nanoseconds and a status' whole seconds would be an effect of the measurement.
 */
export function sameSources(a: Duration, b: Duration): boolean {
  return a.sources === b.sources && a.from === b.from && a.to === b.to;
}

const measure = (name: DurationName, reading: TimelineReading, flags: string[]): Duration | undefined => {
  const [from, to] = placeEnds(name, reading);
  const start = reading.timeline[from];
  const end = reading.timeline[to];
  if (start === undefined || end === undefined) return undefined;
  if (name === 'timeToReady' && reading.readyArrival !== undefined && end.clock !== start.clock) {
    const bound = reading.clocks.offset(end.clock, BigInt(end.atNs))?.boundNs;
    if (bound === undefined || bound > looseOffsetNs) {
      flags.push('timeToReady: by arrival at the client, since the clock of the node is not known to 100 ms');
      return between(from, to, start, reading.readyArrival, reading);
    }
  }
  return between(from, to, start, end, reading);
};

const placeEnds = (name: DurationName, reading: TimelineReading): readonly [InstantName, InstantName] => {
  const [from, to] = ends[name];
  if (reading.pulledMessage?.kind !== 'already-present' || reading.timeline.pulling !== undefined)
    return [from, to];
  return [name === 'podToReady' ? 'pulled' : from, name === 'prepare' ? 'pulled' : to];
};

const between = (
  from: InstantName,
  to: InstantName,
  start: Instant,
  end: Instant,
  reading: TimelineReading,
): Duration | undefined => {
  const sources = `${start.source}${end.source}`;
  if (start.clock === end.clock) {
    const durationMs = toMs(BigInt(end.atNs) - BigInt(start.atNs));
    return { durationMs, errorMs: toMs(BigInt(start.errorNs) + BigInt(end.errorNs)), from, to, sources };
  }
  const first = reading.clocks.toClient(start);
  const second = reading.clocks.toClient(end);
  if (first === undefined || second === undefined) return undefined;
  return {
    durationMs: toMs(second.atNs - first.atNs),
    errorMs: toMs(first.errorNs + second.errorNs),
    from,
    to,
    sources,
  };
};

const toMs = (durationNs: bigint): number => Number(durationNs) / 1e6;
