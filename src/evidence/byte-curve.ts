import type { MeterRequest } from './raw-evidence.ts';

/** Cumulative bytes and requests at one moment. */
export interface CurvePoint {
  readonly atNs: bigint;
  readonly onDemandBytes: number;
  readonly prefetchBytes: number;
}

/** Bytes over time as a meter saw them. */
export interface ByteCurve {
  at(atNs: bigint): CurvePoint;
  /** At most `limit` points, first and last included, evenly chosen among the moments where the curve bends. */
  sample(limit: number): readonly CurvePoint[];
}

/**
 * Cumulative body bytes over time. A meter knows a request's begin, duration and bytes; within a request the bytes
 * are taken to flow evenly, so that a large layer rises as a ramp and not as a step at its end.
 */
export function byteCurve(requests: readonly MeterRequest[]): ByteCurve {
  const ramps = requests.map((request) => {
    const fromNs = BigInt(request.atNs);
    const spanNs = Math.round(request.durationMs * 1e6);
    return { fromNs, spanNs, bytes: request.bodyBytes, prefetch: request.prefetch };
  });
  const bends = [...new Set(ramps.flatMap(({ fromNs, spanNs }) => [fromNs, fromNs + BigInt(spanNs)]))].sort(
    (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  );
  const at = (atNs: bigint): CurvePoint => {
    let onDemandBytes = 0;
    let prefetchBytes = 0;
    for (const { fromNs, spanNs, bytes, prefetch } of ramps) {
      const elapsedNs = Number(atNs - fromNs);
      if (elapsedNs < 0) continue;
      const moved = elapsedNs >= spanNs ? bytes : (bytes * elapsedNs) / spanNs;
      if (prefetch) prefetchBytes += moved;
      else onDemandBytes += moved;
    }
    return { atNs, onDemandBytes: Math.round(onDemandBytes), prefetchBytes: Math.round(prefetchBytes) };
  };
  return {
    at,
    sample: (limit) => {
      const step = Math.max(1, (bends.length - 1) / (limit - 1));
      const count = Math.min(bends.length, limit);
      return Array.from({ length: count }, (_, index) => bends[Math.round(index * step)])
        .filter((atNs) => atNs !== undefined)
        .map(at);
    },
  };
}
