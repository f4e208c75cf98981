import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { HarnessError } from '../../errors/harness-error.ts';
import { digest as digestSchema, type Descriptor } from '../../image/manifest.ts';
import { inContext } from './containerd-error.ts';

/**
 * Blobs by digest on disk, as containerd keeps them (`blobs/sha256/<hex>`, written through `ingest/`). containerd
 * keeps the compressed layers beside the unpacked ones unless told otherwise (`discard_unpacked_layers = false`), so
 * this does too.
 */
export class ContentStore {
  readonly #blobs: string;
  readonly #ingest: string;

  constructor(directory: string) {
    this.#blobs = path.join(directory, 'blobs', 'sha256');
    this.#ingest = path.join(directory, 'ingest');
  }

  async open(): Promise<void> {
    await fs.mkdir(this.#blobs, { recursive: true });
    await fs.mkdir(this.#ingest, { recursive: true });
  }

  async has(digest: string): Promise<boolean> {
    return fs.access(this.#pathOf(digest)).then(
      () => true,
      () => false,
    );
  }

  /** Digests of all blobs. */
  async list(): Promise<string[]> {
    return (await fs.readdir(this.#blobs)).map((hex) => `sha256:${hex}`).sort();
  }

  read(digest: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.#pathOf(digest), { highWaterMark: 256 * 1024 });
  }

  async readWhole(digest: string): Promise<Buffer> {
    return fs.readFile(this.#pathOf(digest));
  }

  async remove(digest: string): Promise<void> {
    await fs.rm(this.#pathOf(digest), { force: true });
  }

  /**
   * Takes a blob in. It appears in the store only when it is whole and its digest is right; otherwise nothing of it
   * stays, and the error is containerd's: `failed commit on ref …` or `short read …`.
   */
  async write(
    kind: string,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const target = this.#pathOf(descriptor.digest);
    const partial = path.join(this.#ingest, randomBytes(12).toString('hex'));
    const ref = `${kind}-${descriptor.digest}`;
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const file = await fs.open(partial, 'wx');
    try {
      let failure: unknown;
      try {
        for await (const piece of content) {
          hash.update(piece);
          sizeBytes += piece.length;
          await file.writeFile(piece);
        }
      } catch (error) {
        if (isSystemError(error)) throw inContext(`failed to copy: write ${partial}`, error);
        failure = error;
      }
      const actual = actualDigest(failure) ?? `sha256:${hash.digest('hex')}`;
      if (
        actual !== descriptor.digest &&
        (sizeBytes === descriptor.size || actualDigest(failure) !== undefined)
      ) {
        throw new HarnessError(
          'DIGEST_MISMATCH',
          `failed commit on ref "${ref}": unexpected commit digest ${actual}, expected ${descriptor.digest}: failed precondition`,
          { details: { expected: descriptor.digest, actual } },
        );
      }
      if (failure !== undefined) throw inContext('failed to copy', failure);
      if (sizeBytes !== descriptor.size) {
        throw new HarnessError(
          'IMAGE_CORRUPT',
          `failed commit on ref "${ref}": unexpected commit size ${String(sizeBytes)}, expected ${String(descriptor.size)}: failed precondition`,
        );
      }
      await fs.rename(partial, target);
    } finally {
      await file.close();
      await fs.rm(partial, { force: true });
    }
  }

  #pathOf(digest: string): string {
    return path.join(this.#blobs, digestSchema.parse(digest).slice('sha256:'.length));
  }
}

const isSystemError = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('write');

/** The digest that a verifying source has found; such a source holds the last piece back. */
const actualDigest = (failure: unknown): string | undefined => {
  const isMismatch = failure instanceof HarnessError && failure.code === 'DIGEST_MISMATCH';
  const actual = isMismatch ? failure.details['actual'] : undefined;
  return typeof actual === 'string' ? actual : undefined;
};
