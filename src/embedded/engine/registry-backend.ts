import type { Dispatcher } from 'undici';
import { HarnessError } from '../../errors/harness-error.ts';
import type { ByteRange } from '../../image/image-source.ts';
import { prefetchHeader } from '../../registry/client/blob-stream.ts';

/** What nydusd's `/api/v1/metrics/backend` and `/blobcache` would say of one mount; counted apart from the meter. */
export interface BackendCounters {
  /** Attempts, failed ones included. */
  readonly readCount: number;
  readonly readErrors: number;
  /** Bytes asked for, also by attempts that failed. */
  readonly readBytes: number;
  /** Part of `readBytes` and `readCount` that prefetch asked for. */
  readonly prefetchBytes: number;
  readonly prefetchCount: number;
}

/** nydusd >= 2.4.3: three tries for a read on demand, one for prefetch. */
const onDemandTries = 3;
const prefetchTries = 1;

/** A mount's own way to the registry: range requests on blobs of one repository, counted as nydusd counts them. */
export class RegistryBackend {
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;
  readonly #repository: string;
  #readCount = 0;
  #readErrors = 0;
  #readBytes = 0;
  #prefetchBytes = 0;
  #prefetchCount = 0;

  /** `origin` such as `http://127.0.0.1:5000`; `repository` such as `library/app`. */
  constructor(options: {
    readonly dispatcher: Dispatcher;
    readonly origin: string;
    readonly repository: string;
  }) {
    this.#dispatcher = options.dispatcher;
    this.#origin = options.origin;
    this.#repository = options.repository;
  }

  counters(): BackendCounters {
    return {
      readCount: this.#readCount,
      readErrors: this.#readErrors,
      readBytes: this.#readBytes,
      prefetchBytes: this.#prefetchBytes,
      prefetchCount: this.#prefetchCount,
    };
  }

  /** Fetches a range of the blob `blobId` (hex). Rejects with REGISTRY_UNAVAILABLE when every try failed. */
  async fetch(
    blobId: string,
    range: ByteRange,
    options: { readonly isPrefetch: boolean; readonly signal: AbortSignal },
  ): Promise<Buffer> {
    const tries = options.isPrefetch ? prefetchTries : onDemandTries;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#try(blobId, range, options);
      } catch (error) {
        options.signal.throwIfAborted();
        this.#readErrors += 1;
        if (attempt >= tries) {
          const why = error instanceof Error ? error.message : String(error);
          throw new HarnessError(
            'REGISTRY_UNAVAILABLE',
            `blob ${blobId}, bytes ${String(range.first)}-${String(range.last)}: ${why}`,
            { cause: error },
          );
        }
      }
    }
  }

  async #try(
    blobId: string,
    range: ByteRange,
    options: { readonly isPrefetch: boolean; readonly signal: AbortSignal },
  ): Promise<Buffer> {
    const sizeBytes = range.last - range.first + 1;
    this.#readCount += 1;
    this.#readBytes += sizeBytes;
    if (options.isPrefetch) {
      this.#prefetchCount += 1;
      this.#prefetchBytes += sizeBytes;
    }
    const { statusCode, body } = await this.#dispatcher.request({
      origin: this.#origin,
      path: `/v2/${this.#repository}/blobs/sha256:${blobId}`,
      method: 'GET',
      headers: {
        range: `bytes=${String(range.first)}-${String(range.last)}`,
        'user-agent': 'nydusd/1.0.0',
        ...(options.isPrefetch ? { [prefetchHeader]: '1' } : {}),
      },
      signal: options.signal,
    });
    if (statusCode !== 206) {
      await body.dump();
      throw new Error(`the registry answered ${String(statusCode)}`);
    }
    const bytes = Buffer.from(await body.arrayBuffer());
    if (bytes.length !== sizeBytes) {
      throw new Error(`the registry sent ${String(bytes.length)} of ${String(sizeBytes)} bytes`);
    }
    return bytes;
  }
}
