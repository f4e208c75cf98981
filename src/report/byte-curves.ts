import { movedBytes } from '../evidence/moved-bytes.ts';
import type { CompletedTrial } from '../evidence/trial.ts';
import { formatDurationMs } from '../units/duration.ts';
import { formatBytes } from '../units/size.ts';
import { formatCount, formatShare, notMeasured } from './figures.ts';

/** Bytes over time of one trial, with its marks. */
export interface ByteCurve {
  readonly arm: string;
  readonly trial: string;
  /** [milliseconds since submit, cumulative body bytes]. */
  readonly points: readonly (readonly [number, number])[];
  readonly firstLogMs: number | undefined;
  readonly readyMs: number | undefined;
  readonly readyText: string;
  readonly bytesAtReady: number | undefined;
  readonly bytesAtReadyText: string;
  readonly bytesAtEndText: string;
  readonly requestsAtEndText: string;
  readonly fetchedShareText: string;
  readonly amplificationText: string;
}

/** The curve of a completed trial and the figures that belong beside it. */
export function byteCurve(trial: CompletedTrial): ByteCurve {
  const { traffic, durations } = trial;
  const curve = traffic.curve.map(
    ([atMs, onDemandBytes, prefetchBytes]) => [atMs, onDemandBytes + prefetchBytes] as const,
  );
  const readyMs = durations.timeToReady?.durationMs;
  const sinceFirstLog = durations.firstLogToReady?.durationMs;
  const counted = movedBytes(traffic, 'ready')?.bytes;
  // The curve is the meter's: its own last point at or before ready keeps the mark on the line.
  const onCurve = readyMs === undefined ? undefined : curve.findLast(([atMs]) => atMs <= readyMs)?.[1];
  const bytesAtReady = onCurve ?? counted;
  const end = movedBytes(traffic, 'end');
  const share = traffic.fetchedShareAtReady;
  const { amplification } = traffic;
  return {
    arm: trial.arm,
    trial: trial.id,
    points: untilReady(curve, readyMs),
    firstLogMs: readyMs === undefined || sinceFirstLog === undefined ? undefined : readyMs - sinceFirstLog,
    readyMs,
    readyText: readyMs === undefined ? notMeasured : formatDurationMs(readyMs),
    bytesAtReady,
    bytesAtReadyText: counted === undefined ? notMeasured : formatBytes(counted),
    bytesAtEndText: end === undefined ? notMeasured : formatBytes(end.bytes),
    requestsAtEndText: end?.requests === undefined ? notMeasured : formatCount(end.requests),
    fetchedShareText: share === undefined ? notMeasured : formatShare(share),
    amplificationText: amplification === undefined ? notMeasured : `${amplification.toFixed(2)}×`,
  };
}

/** The meter's points; after its last request the line goes on level until ready, since nothing more was moved. */
function untilReady(points: ByteCurve['points'], readyMs: number | undefined): ByteCurve['points'] {
  const last = points.at(-1);
  return last === undefined || readyMs === undefined || readyMs <= last[0]
    ? points
    : [...points, [readyMs, last[1]]];
}
