const bytesPerSecondPerUnit = {
  bit: 1 / 8,
  kbit: 1e3 / 8,
  Mbit: 1e6 / 8,
  Gbit: 1e9 / 8,
  'kB/s': 1e3,
  'MB/s': 1e6,
  'GB/s': 1e9,
  'MiB/s': 2 ** 20,
} as const;

const isUnit = (text: string): text is keyof typeof bytesPerSecondPerUnit =>
  Object.hasOwn(bytesPerSecondPerUnit, text);

/** Parses a rate such as `400Mbit` (tc's notation: bits per second) or `50MB/s`; undefined for anything else. */
export function parseRateBytesPerSecond(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s?([A-Za-z/]+)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined || !isUnit(unit)) return undefined;
  return Number(digits) * bytesPerSecondPerUnit[unit];
}

/** Writes a rate in bits per second, as links are sold: `400 Mbit/s`. */
export function formatRate(rateBytesPerSecond: number): string {
  const bits = rateBytesPerSecond * 8;
  if (bits >= 1e9) return `${String(Number((bits / 1e9).toPrecision(3)))} Gbit/s`;
  if (bits >= 1e6) return `${String(Number((bits / 1e6).toPrecision(3)))} Mbit/s`;
  return `${String(Number((bits / 1e3).toPrecision(3)))} kbit/s`;
}
