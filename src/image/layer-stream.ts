import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { HarnessError } from '../errors/harness-error.ts';
import { ZstdFrameError, zstdFrameParts } from './zstd-frames.ts';

/** How the bytes of a layer are compressed. */
export type LayerCompression = 'gzip' | 'zstd' | 'none';

/** Output pieces of this size keep the number of hops per layer low and the memory per layer small. */
const pieceBytes = 256 * 1024;

/** Whether a media type names a layer that is a (compressed or plain) tar: OCI, Docker, non-distributable ones. */
export function isTarLayer(mediaType: string): boolean {
  return /(?:\.tar(?:[.+](?:gzip|zstd|gz))?|\.tar\+gz)$/u.test(mediaType);
}

/**
 * Tells compression from the first bytes, as containerd does (DetectCompression): Docker's media types do not say
 * it reliably.
 */
export function detectCompression(start: Uint8Array): LayerCompression {
  const [a, b, c, d] = start;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  if (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  return 'none';
}

/**
 * The uncompressed tar stream of a layer: gzip with any number of members, zstd with any number of frames
 * (skippable ones too), or plain. Errors: IMAGE_UNSUPPORTED for a media type that is no tar layer, IMAGE_CORRUPT for
 * damaged or truncated compression; errors of `compressed` itself pass through.
 */
export async function* uncompressedLayer(
  compressed: AsyncIterable<Uint8Array>,
  mediaType: string,
): AsyncGenerator<Uint8Array> {
  if (!isTarLayer(mediaType))
    throw new HarnessError('IMAGE_UNSUPPORTED', `a layer of type ${mediaType} is not a file system layer`);
  const source = compressed[Symbol.asyncIterator]();
  const { start, rest } = await peek(source);
  const compression = detectCompression(start);
  if (compression === 'none') {
    yield* rest;
    return;
  }
  const decoder =
    compression === 'gzip'
      ? createGunzip({ chunkSize: pieceBytes })
      : createZstdDecompress({ chunkSize: pieceBytes });
  const input = compression === 'gzip' ? rest : zstdFrameParts(rest);
  let failure: unknown;
  const feeding = pipeline(Readable.from(input, { objectMode: false }), decoder).catch((error: unknown) => {
    failure = error;
  });
  try {
    for await (const piece of decoder) yield bytesOf(piece);
  } catch (error) {
    throw asLayerError(error, compression);
  } finally {
    decoder.destroy();
    await feeding;
  }
  if (failure !== undefined) throw asLayerError(failure, compression);
}

const bytesOf = (piece: unknown): Uint8Array => {
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError('a decompressor gave something else than bytes');
};

/** The first bytes (up to 4, across pieces), and the whole stream again. */
const peek = async (
  source: AsyncIterator<Uint8Array>,
): Promise<{ start: Uint8Array; rest: AsyncGenerator<Uint8Array> }> => {
  const held: Uint8Array[] = [];
  let length = 0;
  while (length < 4) {
    const next = await source.next();
    if (next.done === true) break;
    held.push(next.value);
    length += next.value.length;
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    try {
      yield* held;
      for (;;) {
        const next = await source.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await source.return?.();
    }
  }
  return { start: held.length === 1 ? (held[0] ?? new Uint8Array()) : Buffer.concat(held), rest: rest() };
};

const asLayerError = (error: unknown, compression: LayerCompression): unknown => {
  if (error instanceof ZstdFrameError)
    return new HarnessError('IMAGE_CORRUPT', `a zstd layer is damaged: ${error.message}`, { cause: error });
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(Z_|ZSTD_|ERR_TRAILING_JUNK)/u.test(code)) {
    const how = code === 'Z_BUF_ERROR' ? 'truncated' : 'damaged';
    return new HarnessError('IMAGE_CORRUPT', `a ${compression} layer is ${how} (${code})`, { cause: error });
  }
  return error;
};

/** A stream that is passed on unchanged while its sha256 is computed. */
export interface DigestTee {
  readonly stream: AsyncIterable<Uint8Array>;
  /** `sha256:…` of what has passed; meaningful once the stream has ended. */
  digest(): string;
  /** Bytes that have passed. */
  sizeBytes(): number;
}

/** Computes the digest of a stream on its way. */
export function digestTee(source: AsyncIterable<Uint8Array>): DigestTee {
  const hash: Hash = createHash('sha256');
  let sizeBytes = 0;
  let finished: string | undefined;
  async function* stream(): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      hash.update(piece);
      sizeBytes += piece.length;
      yield piece;
    }
  }
  return {
    stream: stream(),
    digest: () => (finished ??= `sha256:${hash.digest('hex')}`),
    sizeBytes: () => sizeBytes,
  };
}

/**
 * Passes an uncompressed layer on and compares its digest with the diff id of the image's config at the end
 * (DIGEST_MISMATCH).
 */
export async function* withDiffId(
  source: AsyncIterable<Uint8Array>,
  diffId: string,
): AsyncGenerator<Uint8Array> {
  const tee = digestTee(source);
  yield* tee.stream;
  if (tee.digest() !== diffId)
    throw new HarnessError(
      'DIGEST_MISMATCH',
      `an unpacked layer has the digest ${tee.digest()}, but the image's config says ${diffId}`,
    );
}
