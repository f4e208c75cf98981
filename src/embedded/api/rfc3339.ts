const nsPerSecond = 1_000_000_000n;

const split = (atNs: bigint): { readonly date: string; readonly fraction: string } => {
  const seconds = atNs / nsPerSecond;
  return {
    date: new Date(Number(seconds) * 1000).toISOString().slice(0, 19),
    fraction: (atNs % nsPerSecond).toString().padStart(9, '0'),
  };
};

/** metav1.Time: whole seconds, cut off (`2026-11-23T10:00:00Z`). */
export const secondsText = (atNs: bigint): string => `${split(atNs).date}Z`;

/** metav1.MicroTime: microseconds, cut off. */
export const microsecondsText = (atNs: bigint): string => {
  const { date, fraction } = split(atNs);
  return `${date}.${fraction.slice(0, 6)}Z`;
};

/** RFC3339NanoFixed, the time at the start of a container log line: always nine digits. */
export const nanosecondsText = (atNs: bigint): string => {
  const { date, fraction } = split(atNs);
  return `${date}.${fraction}Z`;
};

/** Nanoseconds since the epoch of an RFC 3339 text with up to nine digits; undefined when it is none. */
export function parseRfc3339Ns(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/u.exec(text);
  const ms = match === null ? NaN : Date.parse(`${match[1] ?? ''}${match[3] ?? ''}`);
  if (match === null || Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}
