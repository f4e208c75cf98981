import type { CounterSources } from '../agent/protocol.ts';
import { byteCurve } from './byte-curve.ts';
import { marks, type Mark, type RawEvidence } from './raw-evidence.ts';
import type { Traffic } from './trial.ts';

/** One row of `Traffic.bySource`. */
export type SourceTraffic = Traffic['bySource'][number];

/**
 * What every source says was moved from the mark `before` to each later mark. nydusd and chunk map begin with the
 * pod's mount, so that without a first reading they count from zero; NIC and runtime run on, and without a first
 * reading say nothing. A counter that went backwards (its owner was restarted) gives a negative number.
 *
 * The meter's row at a mark is its curve at the moment the counters were asked for (client clock).
 */
export function sourceTraffic(raw: RawEvidence): readonly SourceTraffic[] {
  const before = raw.counters.find(({ mark }) => mark === 'before')?.sources;
  const curve = raw.meter && byteCurve(raw.meter);
  return marks.flatMap((mark) => {
    if (mark === 'before') return [];
    const reading = raw.counters.findLast((one) => one.mark === mark);
    const rows = reading === undefined ? [] : nodeRows(mark, before, reading.sources);
    if (raw.meter === undefined || curve === undefined) return rows;
    // At the end everything counts that the meter was asked for, whatever the clocks say.
    if (mark === 'end') return [...rows, meterRow(mark, raw.meter, curve.at(endOfTime))];
    if (reading === undefined) return rows;
    const atNs = BigInt(reading.requestedNs);
    const begun = raw.meter.filter((request) => BigInt(request.atNs) <= atNs);
    return [...rows, meterRow(mark, begun, curve.at(atNs))];
  });
}

const endOfTime = 2n ** 63n;

const meterRow = (
  mark: Mark,
  requests: readonly unknown[],
  point: { onDemandBytes: number; prefetchBytes: number },
): SourceTraffic => ({
  source: 'meter',
  mark,
  bytes: point.onDemandBytes + point.prefetchBytes,
  requests: requests.length,
  prefetchBytes: point.prefetchBytes,
});

const nodeRows = (mark: Mark, before: CounterSources | undefined, now: CounterSources): SourceTraffic[] => {
  const rows: SourceTraffic[] = [];
  if (now.nic !== undefined && before?.nic !== undefined)
    rows.push({ source: 'nic', mark, bytes: now.nic.rxBytes - before.nic.rxBytes });
  if (now.containerd !== undefined && before?.containerd !== undefined)
    rows.push({
      source: 'containerd',
      mark,
      bytes: now.containerd.pulledBytes - before.containerd.pulledBytes,
      ...countedRequests(now.containerd.requests - before.containerd.requests),
    });
  if (now.nydusd !== undefined)
    rows.push({
      source: 'nydusd',
      mark,
      bytes: now.nydusd.readBytes - (before?.nydusd?.readBytes ?? 0),
      ...countedRequests(now.nydusd.readCount - (before?.nydusd?.readCount ?? 0)),
      prefetchBytes: now.nydusd.prefetchBytes - (before?.nydusd?.prefetchBytes ?? 0),
    });
  if (now.chunkMap !== undefined)
    rows.push({
      source: 'chunk-map',
      mark,
      bytes: now.chunkMap.readyCompressedBytes - (before?.chunkMap?.readyCompressedBytes ?? 0),
    });
  return rows;
};

/** A counter that went backwards says nothing about requests; its negative bytes already show that it did. */
const countedRequests = (requests: number): { requests?: number } => (requests < 0 ? {} : { requests });
