import { parseTimestampNs } from './timestamp.ts';

/** Splits a line of `GET …/log?timestamps=true` into its runtime timestamp (ns) and what the container wrote. */
export function parseLogLine(text: string): { readonly atNs: bigint; readonly line: string } | undefined {
  const space = text.indexOf(' ');
  const atNs = parseTimestampNs(space < 0 ? text : text.slice(0, space));
  return atNs === undefined ? undefined : { atNs, line: space < 0 ? '' : text.slice(space + 1) };
}
