const bytesPerUnit = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

const isUnit = (text: string): text is keyof typeof bytesPerUnit => Object.hasOwn(bytesPerUnit, text);

/** Parses a size such as `64MiB` or `1.5GB` into whole bytes; undefined for anything else (no bare numbers). */
export function parseSizeBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s?([A-Za-z]+)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined || !isUnit(unit)) return undefined;
  return Math.round(Number(digits) * bytesPerUnit[unit]);
}

/** Writes bytes for people, decimal units as registries and networks count: `812 B`, `4.21 MB`, `1.38 GB`. */
export function formatBytes(sizeBytes: number): string {
  const abs = Math.abs(sizeBytes);
  if (abs < 1000) return `${String(sizeBytes)} B`;
  for (const [unit, scale] of [
    ['kB', 1e3],
    ['MB', 1e6],
    ['GB', 1e9],
  ] as const) {
    if (abs < scale * 999.5) return `${(sizeBytes / scale).toPrecision(3)} ${unit}`;
  }
  return `${(sizeBytes / 1e12).toPrecision(3)} TB`;
}
