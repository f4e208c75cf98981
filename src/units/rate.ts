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
