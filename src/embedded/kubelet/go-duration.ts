/** A duration as Go prints it after `.Truncate(time.Millisecond)`: `0s`, `890ms`, `27.88s`, `1m27.88s`. */
export function goDuration(durationNs: bigint): string {
  const ms = durationNs / 1_000_000n;
  if (ms === 0n) return '0s';
  if (ms < 1000n) return `${ms}ms`;
  const hours = ms / 3_600_000n;
  const minutes = (ms / 60_000n) % 60n;
  const seconds = Number(ms % 60_000n) / 1000;
  return `${hours > 0n ? `${hours}h` : ''}${ms >= 60_000n ? `${minutes}m` : ''}${seconds}s`;
}
