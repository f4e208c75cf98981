import { HarnessError } from '../../errors/harness-error.ts';

const corrupt = (what: string): HarnessError => new HarnessError('IMAGE_CORRUPT', `LZ4 block: ${what}`);
const minMatch = 4;

/**
 * Decodes a raw LZ4 block (lz4_Block_format.md; no frame, no size prefix) of exactly `sizeBytes`.
 * Throws IMAGE_CORRUPT for anything else; never reads or writes outside its buffers.
 */
export function decodeLz4Block(source: Uint8Array, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes);
  let from = 0;
  let to = 0;
  const next = (): number => {
    const byte = source[from];
    if (byte === undefined) throw corrupt('it ends too early');
    from += 1;
    return byte;
  };
  /** A length: 15 in the token means that more bytes follow, up to the first below 255. */
  const extended = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    let byte = 255;
    while (byte === 255) {
      byte = next();
      length += byte;
    }
    return length;
  };
  for (;;) {
    const token = next();
    const literals = extended(token >> 4);
    if (from + literals > source.length) throw corrupt('literals end too early');
    if (to + literals > sizeBytes) throw corrupt('longer than announced');
    out.set(source.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    // Only the last sequence has no match.
    if (from === source.length) break;
    const distance = next() | (next() << 8);
    const length = extended(token & 15) + minMatch;
    if (distance === 0 || distance > to) throw corrupt('a match points before the start');
    if (to + length > sizeBytes) throw corrupt('longer than announced');
    if (distance >= length) out.copyWithin(to, to - distance, to - distance + length);
    // Overlapping: each byte may be one that this match wrote.
    else for (let k = 0; k < length; k += 1) out[to + k] = out[to + k - distance] ?? 0;
    to += length;
  }
  if (to !== sizeBytes) throw corrupt('shorter than announced');
  return out;
}
