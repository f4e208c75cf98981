import { bootstrapInvalid } from './bootstrap-invalid.ts';

/**
 * Little-endian reads of untrusted bytes. Each read is checked: out of range, or a 64-bit value that no size or
 * offset can have (2^53 and more), is BOOTSTRAP_INVALID with the name of what was read.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  /** Throws unless `[offset, offset + sizeBytes)` lies inside. */
  requireRange(offset: number, sizeBytes: number, what: string): void {
    if (!(offset >= 0 && sizeBytes >= 0 && offset + sizeBytes <= this.bytes.length))
      throw bootstrapInvalid(
        `${what} reaches outside the ${String(this.bytes.length)} bytes there are`,
        `offset ${String(offset)}, ${String(sizeBytes)} bytes`,
      );
  }

  u8(offset: number, what: string): number {
    this.requireRange(offset, 1, what);
    return this.#view.getUint8(offset);
  }

  u16(offset: number, what: string): number {
    this.requireRange(offset, 2, what);
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number, what: string): number {
    this.requireRange(offset, 4, what);
    return this.#view.getUint32(offset, true);
  }

  /** A size, count or offset: must be exact as a number. */
  u64(offset: number, what: string): number {
    this.requireRange(offset, 8, what);
    const high = this.#view.getUint32(offset + 4, true);
    if (high >= 2 ** 21) throw bootstrapInvalid(`${what} is 2^53 or more`, `offset ${String(offset)}`);
    return high * 2 ** 32 + this.#view.getUint32(offset, true);
  }

  /** Signed, for times: every value is possible; beyond 2^53 the last digits are lost. */
  i64(offset: number, what: string): number {
    this.requireRange(offset, 8, what);
    return this.#view.getInt32(offset + 4, true) * 2 ** 32 + this.#view.getUint32(offset, true);
  }

  /** A view, not a copy. */
  slice(offset: number, sizeBytes: number, what: string): Uint8Array {
    this.requireRange(offset, sizeBytes, what);
    return this.bytes.subarray(offset, offset + sizeBytes);
  }

  text(offset: number, sizeBytes: number, what: string): string {
    this.requireRange(offset, sizeBytes, what);
    return this.#text.toString('utf8', offset, offset + sizeBytes);
  }

  /** Bytewise order of a stored name and `other`: negative, 0 or positive, as Buffer.compare. */
  compareText(offset: number, sizeBytes: number, other: Uint8Array): number {
    this.requireRange(offset, sizeBytes, 'name');
    return this.#text.compare(other, 0, other.length, offset, offset + sizeBytes);
  }

  /** Position of the first NUL in `[offset, end)`, or `end`. */
  endOfText(offset: number, end: number): number {
    for (let at = offset; at < end; at += 1) if (this.bytes[at] === 0) return at;
    return end;
  }
}
