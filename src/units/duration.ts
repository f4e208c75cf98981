const msPerUnit = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

const isUnit = (text: string): text is keyof typeof msPerUnit => Object.hasOwn(msPerUnit, text);

/**
 * Parses a duration such as `10m`, `1m30s`, `250ms` into milliseconds (the notation of Go and of Kubernetes).
 * Returns undefined for anything else, including a bare number: the unit is never guessed.
 */
export function parseDurationMs(text: string): number | undefined {
  const part = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/y;
  let totalMs = 0;
  let at = 0;
  while (at < text.length) {
    part.lastIndex = at;
    const match = part.exec(text);
    const [whole, digits, unit] = match ?? [];
    if (whole === undefined || digits === undefined || unit === undefined || !isUnit(unit)) return undefined;
    totalMs += Number(digits) * msPerUnit[unit];
    at += whole.length;
  }
  return text === '' ? undefined : totalMs;
}

/** Writes milliseconds for people with three significant digits: `0.85 ms`, `12.3 ms`, `1.24 s`, `2m 05s`. */
export function formatDurationMs(durationMs: number): string {
  const sign = durationMs < 0 ? '−' : '';
  const abs = Math.abs(durationMs);
  if (abs < 999.5) return `${sign}${significant(abs)} ms`;
  if (abs < 99_950) return `${sign}${significant(abs / 1000)} s`;
  const seconds = Math.round(abs / 1000);
  return `${sign}${String(Math.floor(seconds / 60))}m ${String(seconds % 60).padStart(2, '0')}s`;
}

const significant = (value: number): string =>
  value === 0 ? '0' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
