import { read } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import type { ByteRange } from '../../image/image-source.ts';

const readAt = promisify(read);

/** Pieces are as large as one piece of an aborted answer may be miscounted, and large enough to be fast. */
const pieceBytes = 256 * 1024;
/** Buffers are used again: fresh memory for each piece would cost more than copying into it. */
const maxPooledBuffers = 32;
const maxOpenFiles = 64;

interface OpenBlob {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  users: number;
  isEvicted: boolean;
}

/** Sends blobs from files, keeping the most used of them open: for ranges of 1 MiB, opening costs as much as reading. */
export class BlobSender implements AsyncDisposable {
  readonly #open = new Map<string, Promise<OpenBlob>>();
  readonly #buffers: Buffer[] = [];

  /** Size of a blob's file. */
  async sizeBytes(file: string): Promise<number> {
    const blob = await this.#take(file);
    this.#give(blob);
    return blob.sizeBytes;
  }

  /**
   * Writes a range of a file to a response. `count` is called for each piece once the kernel has taken it whole. Resolves
   * when all is written or the client has gone.
   */
  async send(
    file: string,
    range: ByteRange,
    response: ServerResponse,
    count: (bytes: number) => void,
  ): Promise<void> {
    const blob = await this.#take(file);
    try {
      const inFlight: Promise<void>[] = [];
      for (let at = range.first; at <= range.last && !response.destroyed;) {
        const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
        const wanted = Math.min(pieceBytes, range.last + 1 - at);
        const { bytesRead } = await readAt(blob.handle.fd, buffer, 0, wanted, at);
        // A file that became shorter cannot keep its promised length: the client must see a broken connection.
        if (bytesRead === 0) throw new Error(`${file} became shorter while it was sent`);
        at += bytesRead;
        inFlight.push(this.#write(response, buffer, bytesRead, count));
        // Reading one piece ahead hides the read behind the write.
        if (inFlight.length > 1) await inFlight.shift();
      }
      await Promise.all(inFlight);
    } finally {
      this.#give(blob);
    }
  }

  /** Forgets a file that is about to be removed. */
  async forget(file: string): Promise<void> {
    const blob = await this.#open.get(file);
    this.#open.delete(file);
    if (blob !== undefined) this.#evict(blob);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of [...this.#open.keys()]) await this.forget(file);
  }

  #write(
    response: ServerResponse,
    buffer: Buffer,
    length: number,
    count: (bytes: number) => void,
  ): Promise<void> {
    return new Promise((resolve) => {
      // A destroyed response may never call back: its 'close' ends the wait.
      const settle = (error: Error | null | undefined): void => {
        response.off('close', gone);
        if (error === undefined || error === null) {
          count(length);
          if (this.#buffers.length < maxPooledBuffers) this.#buffers.push(buffer);
        }
        resolve();
      };
      const gone = (): void => resolve();
      response.once('close', gone);
      response.write(length === buffer.length ? buffer : buffer.subarray(0, length), settle);
    });
  }

  async #take(file: string): Promise<OpenBlob> {
    const known = this.#open.get(file);
    const pending = known ?? openBlob(file);
    // Last used comes last.
    this.#open.delete(file);
    this.#open.set(file, pending);
    try {
      const blob = await pending;
      blob.users += 1;
      const [oldest] = this.#open.keys();
      if (this.#open.size > maxOpenFiles && oldest !== undefined && oldest !== file)
        await this.forget(oldest);
      return blob;
    } catch (error) {
      this.#open.delete(file);
      throw error;
    }
  }

  #give(blob: OpenBlob): void {
    blob.users -= 1;
    if (blob.isEvicted && blob.users === 0) void blob.handle.close();
  }

  #evict(blob: OpenBlob): void {
    blob.isEvicted = true;
    if (blob.users === 0) void blob.handle.close();
  }
}

const openBlob = async (file: string): Promise<OpenBlob> => {
  const handle = await open(file, 'r');
  const { size } = await handle.stat();
  return { handle, sizeBytes: size, users: 0, isEvicted: false };
};
