/** Takes a stream of pieces apart into exactly as many bytes as are asked for. */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();
  #at = 0;
  /** Bytes handed out so far. */
  position = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Between 1 and `limit` bytes, as they come, without copying; undefined at the end of the stream. */
  async some(limit: number): Promise<Uint8Array | undefined> {
    while (this.#at === this.#piece.length) if (!(await this.#next())) return undefined;
    return this.#take(limit);
  }

  /** The same without waiting: undefined when nothing is at hand. */
  atHand(limit: number): Uint8Array | undefined {
    return this.#at === this.#piece.length ? undefined : this.#take(limit);
  }

  /** Exactly `length` bytes; fewer only at the end of the stream. Copies only across pieces. */
  async exactly(length: number): Promise<Uint8Array> {
    const first = (await this.some(length)) ?? new Uint8Array();
    if (first.length === length) return first;
    const whole = Buffer.allocUnsafe(length);
    let filled = 0;
    let part: Uint8Array | undefined = first;
    while (part !== undefined && part.length > 0) {
      whole.set(part, filled);
      filled += part.length;
      part = filled === length ? undefined : await this.some(length - filled);
    }
    return whole.subarray(0, filled);
  }

  /** Drops `length` bytes; returns how many there were. */
  async skip(length: number): Promise<number> {
    let left = length;
    while (left > 0) {
      const part = await this.some(left);
      if (part === undefined) break;
      left -= part.length;
    }
    return length - left;
  }

  /** Lets the source go before its end. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  #take(limit: number): Uint8Array {
    const part = this.#piece.subarray(this.#at, this.#at + limit);
    this.#at += part.length;
    this.position += part.length;
    return part;
  }

  async #next(): Promise<boolean> {
    const result = await this.#iterator.next();
    if (result.done === true) return false;
    this.#piece = result.value;
    this.#at = 0;
    return true;
  }
}
