import { HarnessError } from '../../errors/harness-error.ts';

const sizeAt = 124;
const checksumAt = 148;
export const tarHeaderBytes = 512;

/** What a header in a data blob says of the bytes *before* it. */
export interface BlobTarHeader {
  readonly name: string;
  readonly sizeBytes: number;
}

const checksumOf = (header: Uint8Array): number =>
  header.reduce((sum, byte, at) => sum + (at >= checksumAt && at < checksumAt + 8 ? 0x20 : byte), 0);

/**
 * GNU tar header as nydus writes it behind each part of a data blob: no mode, owner or time. Sizes of 8 GiB and
 * more, which octal cannot hold, are written in base 256 as GNU tar does.
 */
export function encodeTarHeader({ name, sizeBytes }: BlobTarHeader): Buffer {
  const header = Buffer.alloc(tarHeaderBytes);
  header.write(name, 0, 'latin1');
  if (sizeBytes < 8 ** 11) header.write(sizeBytes.toString(8).padStart(11, '0'), sizeAt, 'latin1');
  else {
    header.writeUInt8(0x80, sizeAt);
    header.writeBigUInt64BE(BigInt(sizeBytes), sizeAt + 4);
  }
  header.write('00000000000', 136, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar  \0', 257, 'latin1');
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, checksumAt, 'latin1');
  return header;
}

/** Reads such a header. Throws IMAGE_CORRUPT when the checksum or a field is wrong. */
export function decodeTarHeader(bytes: Uint8Array): BlobTarHeader {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const octal = (at: number, length: number): number => {
    const digits = /^ *([0-7]+)[\0 ]*$/.exec(header.toString('latin1', at, at + length))?.[1];
    return digits === undefined ? NaN : parseInt(digits, 8);
  };
  const sizeBytes = header[sizeAt] === 0x80 ? Number(header.readBigUInt64BE(sizeAt + 4)) : octal(sizeAt, 12);
  if (
    header.length !== tarHeaderBytes ||
    octal(checksumAt, 8) !== checksumOf(header) ||
    !Number.isSafeInteger(sizeBytes)
  )
    throw new HarnessError('IMAGE_CORRUPT', 'Nydus blob: a tar header is damaged or not there');
  return { name: header.toString('latin1', 0, 100).replace(/\0.*$/s, ''), sizeBytes };
}
