import { byteCurve } from './byte-curve.ts';
import { countedByNode, movedBytes } from './moved-bytes.ts';
import type { MeterRequest, RawEvidence } from './raw-evidence.ts';
import { sourceTraffic, type SourceTraffic } from './source-traffic.ts';
import type { Traffic } from './trial.ts';

/** Most points that a curve keeps. */
const curvePoints = 400;

/**
 * Accounts for the bytes of a trial. `imageSizeBytes` is the compressed size of the whole image, when it is known.
 *
 * Closure compares like with like: body bytes that the meter wrote against body bytes that the node's engines read
 * (runtime + nydusd). The NIC also counts headers, handshakes and neighbours, so its excess over the meter is not
 * closure but overhead; it is compared only where one of the other two is missing. A NIC that saw *less* than the
 * bodies is flagged: something was not pulled through it.
 */
export function buildTraffic(
  raw: RawEvidence,
  imageSizeBytes: number | undefined,
): { readonly traffic: Traffic; readonly flags: readonly string[] } {
  const bySource = [...sourceTraffic(raw)];
  const closure = findClosure(bySource);
  const amplification = findAmplification(raw, bySource);
  const atReady = movedBytes({ bySource }, 'ready');
  const traffic: Traffic = {
    bySource,
    byClass: byClass(raw.meter ?? []),
    ...(closure === undefined ? {} : { closure }),
    ...(amplification === undefined ? {} : { amplification }),
    ...(atReady === undefined || imageSizeBytes === undefined || imageSizeBytes === 0
      ? {}
      : { fetchedShareAtReady: atReady.bytes / imageSizeBytes }),
    curve: curve(raw),
  };
  return { traffic, flags: trafficFlags(raw, bySource) };
}

const byClass = (requests: readonly MeterRequest[]): Traffic['byClass'] => {
  const classes = new Map<string, Traffic['byClass'][number]>();
  for (const request of requests) {
    const key = `${request.class} ${String(request.prefetch)}`;
    const sofar = classes.get(key) ?? {
      class: request.class,
      prefetch: request.prefetch,
      requests: 0,
      bytes: 0,
    };
    classes.set(key, {
      ...sofar,
      requests: sofar.requests + 1,
      bytes: sofar.bytes + request.bodyBytes,
    });
  }
  return [...classes.values()];
};

const curve = (raw: RawEvidence): Traffic['curve'] => {
  if (raw.meter === undefined || raw.submit === undefined) return [];
  const submitNs = BigInt(raw.submit.sentNs);
  return byteCurve(raw.meter)
    .sample(curvePoints)
    .map(({ atNs, onDemandBytes, prefetchBytes }) => [
      Number(atNs - submitNs) / 1e6,
      onDemandBytes,
      prefetchBytes,
    ]);
};

const atEnd = (bySource: readonly SourceTraffic[], source: SourceTraffic['source']): number | undefined =>
  bySource.find((row) => row.source === source && row.mark === 'end')?.bytes;

const findClosure = (bySource: readonly SourceTraffic[]): Traffic['closure'] => {
  const nydusd = atEnd(bySource, 'nydusd') === undefined ? '' : ' + nydusd';
  const candidates: readonly (readonly [string, number | undefined])[] = [
    ['meter', atEnd(bySource, 'meter')],
    [`containerd${nydusd}`, countedByNode({ bySource: [...bySource] }, 'end')?.bytes],
    ['nic (headers included)', atEnd(bySource, 'nic')],
  ];
  const [first, second] = candidates.flatMap(([name, bytes]) =>
    bytes === undefined ? [] : [{ name, bytes }],
  );
  if (first === undefined || second === undefined || second.bytes <= 0) return undefined;
  return {
    ratio: Math.abs(first.bytes - second.bytes) / second.bytes,
    between: [first.name, second.name],
  };
};

/** Both counts up to the last mark that has both. What nydusd served stands in where reads cannot be counted. */
const findAmplification = (raw: RawEvidence, bySource: readonly SourceTraffic[]): number | undefined => {
  const before = raw.counters.find(({ mark }) => mark === 'before')?.sources;
  for (const { mark, sources } of raw.counters.toReversed()) {
    const fetched = bySource.find((row) => row.source === 'nydusd' && row.mark === mark)?.bytes;
    const read =
      sources.application === undefined
        ? sources.nydusd && sources.nydusd.servedBytes - (before?.nydusd?.servedBytes ?? 0)
        : sources.application.readBytes - (before?.application?.readBytes ?? 0);
    if (fetched !== undefined && read !== undefined && read > 0) return fetched / read;
  }
  return undefined;
};

const trafficFlags = (raw: RawEvidence, bySource: readonly SourceTraffic[]): readonly string[] => {
  const flags: string[] = [];
  for (const { source, mark, bytes } of bySource)
    if (bytes < 0) flags.push(`traffic: ${source} counted backwards up to ${mark}: its owner was restarted`);
  const nic = atEnd(bySource, 'nic');
  const meter = atEnd(bySource, 'meter');
  if (nic !== undefined && meter !== undefined && nic < meter)
    flags.push(
      `traffic: the network interface saw ${String(nic)} bytes, the meter sent ${String(meter)}: not everything went through it`,
    );
  const errors = raw.counters.findLast(({ sources }) => sources.nydusd !== undefined)?.sources.nydusd
    ?.readErrors;
  if (errors !== undefined && errors > 0)
    flags.push(
      `traffic: nydusd counted ${String(errors)} failed reads; its bytes include what those asked for`,
    );
  const refused = (raw.meter ?? []).filter(({ status }) => status >= 400 && status !== 401).length;
  if (refused > 0) flags.push(`traffic: ${String(refused)} requests were answered with an error`);
  return flags;
};
