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
