/**
 * Reads an RFC 3339 timestamp with up to nine digits of a second, as log lines (`timestamps=true`), MicroTime and
 * Time fields of the Kubernetes API carry it, into nanoseconds since the epoch. `Date` would cut it to
 * milliseconds. Undefined for anything else, dates that do not exist included.
 */
export function parseTimestampNs(text: string): bigint | undefined {
  const [, seconds, fraction = '', zone] =
    /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/u.exec(text) ?? [];
  if (seconds === undefined || zone === undefined) return undefined;
  const asUtc = Date.parse(`${seconds}Z`);
  const atMs = Date.parse(`${seconds}${zone}`);
  // Date.parse takes 2026-02-30 as 2 March: what comes back must be what went in.
  if (!Number.isFinite(atMs) || new Date(asUtc).toISOString().slice(0, 19) !== seconds) return undefined;
  return BigInt(atMs) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
