import { HarnessError } from '../../errors/harness-error.ts';
import type { ByteRange } from '../../image/image-source.ts';
import { verifiedBlob } from '../../image/verified-blob.ts';
import { reasonOf, type RegistryTransport } from './registry-transport.ts';

/** What is read of a blob. */
export interface BlobRequest {
  readonly registry: string;
  readonly repository: string;
  readonly blob: { readonly digest: string; readonly size: number };
  readonly range?: ByteRange | undefined;
  /** Tells a counting registry that nobody waits for these bytes yet. */
  readonly prefetch?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Header by which lazybench's registry tells prefetch requests from those on demand. */
export const prefetchHeader = 'x-lazybench-prefetch';

/** A connection may break this often in a row without a byte between. */
const maxFruitless = 3;

/**
 * Streams a blob or a range of it; goes on with a Range request where a connection broke. A whole blob is verified.
 * Errors: IMAGE_NOT_FOUND, IMAGE_CORRUPT (shorter than it should be), DIGEST_MISMATCH, and the transport's.
 */
export async function* readRegistryBlob(
  transport: RegistryTransport,
  wanted: BlobRequest,
): AsyncGenerator<Uint8Array> {
  const what = `blob ${wanted.blob.digest} of ${wanted.registry}/${wanted.repository}`;
  const pieces = resumed(transport, wanted, what);
  yield* wanted.range === undefined ? verifiedBlob(pieces, wanted.blob, what) : pieces;
}

async function* resumed(
  transport: RegistryTransport,
  wanted: BlobRequest,
  what: string,
): AsyncGenerator<Uint8Array> {
  const { blob, signal, range } = wanted;
  let at = range?.first ?? 0;
  const end = range === undefined ? blob.size : range.last + 1;
  let fruitless = 0;
  // An empty blob is asked for too: it may be missing.
  for (let isFirst = true; isFirst || at < end; isFirst = false) {
    const before = at;
    const isPartial = at > 0 || range !== undefined;
    const reply = await transport.send({
      method: 'GET',
      url: `/v2/${wanted.repository}/blobs/${blob.digest}`,
      scope: `repository:${wanted.repository}:pull`,
      headers: {
        ...(isPartial ? { range: `bytes=${at}-${end - 1}` } : {}),
        ...(wanted.prefetch === true ? { [prefetchHeader]: '1' } : {}),
      },
      signal,
      what,
    });
    try {
      let skip = bytesToSkip(reply.status, reply.header('content-range'), at, isPartial, what);
      for await (const raw of reply.body) {
        let piece = bytesOf(raw);
        if (skip > 0) {
          const dropped = Math.min(skip, piece.length);
          skip -= dropped;
          piece = piece.subarray(dropped);
        }
        if (piece.length === 0) continue;
        // Of a whole blob, too many bytes are an error (verified later); of a range they are not ours.
        if (range !== undefined && piece.length > end - at) piece = piece.subarray(0, end - at);
        at += piece.length;
        yield piece;
        if (range !== undefined && at === end) return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof HarnessError) throw error;
      fruitless = at === before ? fruitless + 1 : 0;
      if (fruitless >= maxFruitless)
        throw new HarnessError(
          'REGISTRY_UNAVAILABLE',
          `the connection to ${wanted.registry} broke ${fruitless} times at byte ${at} of ${what}: ${reasonOf(error)}`,
          { cause: error },
        );
      continue;
    } finally {
      reply.body.on('error', ignoreAfterUse).destroy();
    }
    // The answer ended in good order, yet too early: asking again would give the same.
    if (at < end)
      throw new HarnessError('IMAGE_CORRUPT', `${what} is truncated: the registry has ${at} of ${end} bytes`);
  }
}

/** Destroying a body that is not read to its end makes undici emit an abort error that concerns nobody. */
const ignoreAfterUse = (): void => undefined;

const bytesToSkip = (
  status: number,
  contentRange: string | undefined,
  at: number,
  isPartial: boolean,
  what: string,
): number => {
  if (status === 404) throw new HarnessError('IMAGE_NOT_FOUND', `there is no ${what}`);
  if (status === 416)
    throw new HarnessError('IMAGE_CORRUPT', `${what} is shorter than it should be: it has no byte ${at}`);
  // A server may ignore Range and send everything.
  if (status === 200) return at;
  if (status !== 206 || !isPartial)
    throw new HarnessError('REGISTRY_UNAVAILABLE', `the registry answered ${status} for ${what}`);
  const [, first] = /^bytes (\d+)-/u.exec(contentRange ?? '') ?? [];
  if (first !== undefined && Number(first) !== at)
    throw new HarnessError(
      'REGISTRY_UNAVAILABLE',
      `the registry sent bytes from ${first} where ${at} was asked for, of ${what}`,
    );
  return 0;
};

const bytesOf = (piece: unknown): Uint8Array => {
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError('a response body gave something else than bytes');
};
