const scales: Readonly<Record<string, bigint>> = {
  '': 1000n,
  m: 1n,
  k: 1000n ** 2n,
  M: 1000n ** 3n,
  G: 1000n ** 4n,
  T: 1000n ** 5n,
  P: 1000n ** 6n,
  Ki: 1000n * 2n ** 10n,
  Mi: 1000n * 2n ** 20n,
  Gi: 1000n * 2n ** 30n,
  Ti: 1000n * 2n ** 40n,
  Pi: 1000n * 2n ** 50n,
};

/**
 * A Kubernetes quantity (`500m`, `64Gi`, `1e3`, `1`) in thousandths of its unit, rounded up; undefined when the
 * text is none. Thousandths, because the finest suffix in use is `m`.
 */
export function parseQuantityMilli(text: string): bigint | undefined {
  const match = /^(\d+)(?:\.(\d*))?(?:[eE](\d{1,2})|([mkMGTP]|[KMGTP]i)?)$/u.exec(text);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent, suffix = ''] = match;
  const scale = exponent === undefined ? scales[suffix] : 1000n * 10n ** BigInt(exponent);
  if (scale === undefined) return undefined;
  const divisor = 10n ** BigInt(fraction.length);
  return (BigInt(whole + fraction) * scale + divisor - 1n) / divisor;
}
