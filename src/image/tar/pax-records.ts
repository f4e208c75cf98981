/**
 * Parses the body of a pax extended header: `LENGTH KEY=VALUE\n`, values raw (extended attributes are bytes, not
 * text). Returns undefined when it is malformed. Source: POSIX.1-2001 pax, "pax Header Block".
 */
export function parsePaxRecords(body: Uint8Array): Map<string, Uint8Array> | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const records = new Map<string, Uint8Array>();
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    if (space === -1) return undefined;
    const digits = bytes.toString('latin1', at, space);
    const length = /^\d{1,10}$/u.test(digits) ? Number(digits) : 0;
    const end = at + length;
    if (end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) return undefined;
    const equals = bytes.indexOf(0x3d, space + 1);
    if (equals === -1 || equals >= end) return undefined;
    records.set(bytes.toString('utf8', space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** A pax time (`1700000000.123456789`, may be negative) in whole seconds and nanoseconds (0 … 999 999 999). */
export function parsePaxTime(text: string): { seconds: number; nanoseconds: number } | undefined {
  const [, sign, whole, fraction] = /^(-?)(\d{1,15})(?:\.(\d*))?$/u.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const nanoseconds = Number((fraction ?? '').slice(0, 9).padEnd(9, '0'));
  const seconds = Number(whole);
  if (sign !== '-') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: seconds === 0 ? 0 : -seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}
