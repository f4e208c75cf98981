import { createHash } from 'node:crypto';
import { HarnessError } from '../errors/harness-error.ts';

/** `sha256:…` of bytes. */
export function sha256Digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * Passes a blob on and checks it: IMAGE_CORRUPT when it is shorter than its descriptor says, DIGEST_MISMATCH when it
 * is longer or other bytes. `what` names it and its place in the message. The last piece is held back until the digest is
 * right, so that a consumer that ends with the stream never ends with wrong bytes.
 */
export async function* verifiedBlob(
  source: AsyncIterable<Uint8Array>,
  expected: { readonly digest: string; readonly size: number },
  what: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let held: Uint8Array | undefined;
  for await (const piece of source) {
    if (held !== undefined) yield held;
    hash.update(piece);
    sizeBytes += piece.length;
    if (sizeBytes > expected.size)
      throw new HarnessError(
        'DIGEST_MISMATCH',
        `${what} is longer than the ${expected.size} bytes it should have`,
      );
    held = piece;
  }
  if (sizeBytes < expected.size)
    throw new HarnessError('IMAGE_CORRUPT', `${what} is truncated: ${sizeBytes} of ${expected.size} bytes`);
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== expected.digest)
    throw new HarnessError(
      'DIGEST_MISMATCH',
      `${what} should have the digest ${expected.digest} but has ${digest}`,
      {
        details: { expected: expected.digest, actual: digest },
      },
    );
  if (held !== undefined) yield held;
}

/** Reads a small blob (a manifest, a config) into memory; `limitBytes` guards against a size that is a lie. */
export async function readAll(
  source: AsyncIterable<Uint8Array>,
  limitBytes: number,
  what: string,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of source) {
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes)
      throw new HarnessError('IMAGE_CORRUPT', `${what} is larger than ${limitBytes} bytes`);
    parts.push(piece);
  }
  return Buffer.concat(parts);
}
