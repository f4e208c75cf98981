/** What one 512-byte tar header block says, before pax records and GNU long names are laid over it. */
export interface TarHeader {
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeS: number;
  /** POSIX type flag as a character; NUL reads as `0`. */
  readonly type: string;
  readonly major: number;
  readonly minor: number;
}

/** Size of a tar block: headers and the padding of contents. */
export const tarBlockBytes = 512;

/** Types that never carry content, whatever their size field says (as Go's archive/tar reads them). */
export const contentFreeTypes: ReadonlySet<string> = new Set(['1', '2', '3', '4', '5', '6']);

/** Whether a block is all zeros: two of them end an archive. */
export function isZeroBlock(block: Uint8Array): boolean {
  for (const byte of block) if (byte !== 0) return false;
  return true;
}

/**
 * Reads a header block (POSIX ustar, GNU and the old V7 format). Returns undefined when its checksum is wrong.
 * Source of the layout: POSIX.1-2001 pax, "ustar Interchange Format"; GNU base-256 numbers as in GNU tar.
 */
export function parseTarHeader(block: Uint8Array): TarHeader | undefined {
  if (!hasRightChecksum(block)) return undefined;
  const isUstar = latin1(block, 257, 262) === 'ustar';
  // GNU's magic is "ustar  \0"; where POSIX has the prefix, GNU has times.
  const isPosix = isUstar && block[262] === 0;
  const name = textField(block, 0, 100);
  const prefix = isPosix ? textField(block, 345, 500) : new Uint8Array();
  const typeByte = block[156] ?? 0;
  const numbers = {
    mode: number(block, 100, 108),
    uid: number(block, 108, 116),
    gid: number(block, 116, 124),
    sizeBytes: number(block, 124, 136),
    mtimeS: number(block, 136, 148),
    major: isUstar ? number(block, 329, 337) : 0,
    minor: isUstar ? number(block, 337, 345) : 0,
  };
  if (numbers.sizeBytes < 0 || Object.values(numbers).some((value) => !Number.isSafeInteger(value)))
    return undefined;
  return {
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    linkName: textField(block, 157, 257),
    type: typeByte === 0 ? '0' : String.fromCharCode(typeByte),
    ...numbers,
  };
}

const latin1 = (block: Uint8Array, from: number, to: number): string =>
  Buffer.from(block.buffer, block.byteOffset + from, to - from).toString('latin1');

/** Text up to the first NUL, copied: the block's buffer is used again. */
const textField = (block: Uint8Array, from: number, to: number): Uint8Array => {
  const end = block.subarray(from, to).indexOf(0);
  return block.slice(from, end === -1 ? to : from + end);
};

const number = (block: Uint8Array, from: number, to: number): number => {
  const first = block[from] ?? 0;
  if ((first & 0x80) !== 0) {
    // Base-256: two's complement, big endian, the top bit of the first byte is the mark.
    let value = BigInt(first & 0x7f);
    for (let at = from + 1; at < to; at += 1) value = (value << 8n) | BigInt(block[at] ?? 0);
    return Number(BigInt.asIntN((to - from) * 8 - 1, value));
  }
  let value = 0;
  let hasDigit = false;
  for (let at = from; at < to; at += 1) {
    const byte = block[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + (byte - 0x30);
      hasDigit = true;
    } else if (byte === 0x20 && !hasDigit) continue;
    else if (byte === 0 || byte === 0x20) break;
    else return Number.NaN;
  }
  return value;
};

const hasRightChecksum = (block: Uint8Array): boolean => {
  const expected = number(block, 148, 156);
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < tarBlockBytes; at += 1) {
    // The checksum field counts as eight spaces. Old tars summed signed characters.
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return expected === unsigned || expected === signed;
};
