import type { Readable } from 'node:stream';
import { request, type Dispatcher } from 'undici';
import { HarnessError } from '../../errors/harness-error.ts';
import type { Clock } from '../../units/clock.ts';
import type { Authorizer } from './authorizer.ts';
import { retryAfterMs } from './retry-after.ts';

/** One request to a registry, before authorisation, redirects and patience. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute, or relative to the registry. */
  readonly url: string | URL;
  /** `repository:NAME:pull` or `…:pull,push`. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A body that can be sent again; see `once` for a stream. */
  readonly body?: Uint8Array;
  /** A body that can be sent only once; such a request is not repeated. */
  readonly once?: Readable;
  readonly signal?: AbortSignal | undefined;
  /** What the request is about, for messages: `the manifest of x/y:1`. */
  readonly what: string;
}

/** An answer whose body has not been read; the reader must consume or dump it. */
export interface RegistryReply {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: Dispatcher.ResponseData['body'];
}

/** How patient a client is. */
export interface Patience {
  /** Until headers come, and between two pieces of a body. */
  readonly timeoutMs: number;
  /** Longest single wait that a Retry-After may ask for; a longer one is an error at once. */
  readonly maxRetryAfterMs: number;
  readonly attempts: number;
}

const maxRedirects = 10;
const maxChallenges = 2;
const backoffMs = 500;

/** Sends requests: answers challenges, follows redirects by hand, waits when asked to. */
export class RegistryTransport {
  readonly #base: URL;
  readonly #registry: string;
  readonly #authorizer: Authorizer;
  readonly #dispatcher: Dispatcher;
  readonly #clock: Clock;
  readonly #patience: Patience;

  constructor(options: {
    base: URL;
    registry: string;
    authorizer: Authorizer;
    dispatcher: Dispatcher;
    clock: Clock;
    patience: Patience;
  }) {
    this.#base = options.base;
    this.#registry = options.registry;
    this.#authorizer = options.authorizer;
    this.#dispatcher = options.dispatcher;
    this.#clock = options.clock;
    this.#patience = options.patience;
  }

  /**
   * Sends a request and returns the answer for every status the caller can do something with (2xx, 404, 405, 416 …).
   * Errors: REGISTRY_UNAUTHORIZED, REGISTRY_RATE_LIMITED, REGISTRY_UNAVAILABLE.
   */
  async send(wanted: RegistryRequest): Promise<RegistryReply> {
    const { signal, what } = wanted;
    let challenges = 0;
    for (let attempt = 1; ;) {
      const authorization = await this.#authorizer.header(wanted.scope, signal);
      const reply = await this.#follow(wanted, authorization);
      const { status } = reply;
      if (status === 401 && wanted.once === undefined) {
        await reply.body.dump();
        challenges += 1;
        const header = reply.header('www-authenticate') ?? '';
        const more = await this.#authorizer.challenged(wanted.scope, header, authorization, signal);
        if (more && challenges <= maxChallenges) continue;
        throw this.#unauthorized(what, 401);
      }
      if (status === 401 || status === 403) {
        await reply.body.dump();
        throw this.#unauthorized(what, status);
      }
      const isBusy = status === 429 || status >= 500;
      if (!isBusy) return reply;
      await reply.body.dump();
      const asked = retryAfterMs(reply.header('retry-after'), Number(this.#clock.wallNs() / 1_000_000n));
      const waitMs = asked ?? backoffMs * 2 ** (attempt - 1);
      if (
        attempt >= this.#patience.attempts ||
        waitMs > this.#patience.maxRetryAfterMs ||
        wanted.once !== undefined
      )
        throw this.#busy(what, status, asked);
      attempt += 1;
      await this.#clock.sleep(waitMs, signal);
    }
  }

  async #follow(wanted: RegistryRequest, authorization: string | undefined): Promise<RegistryReply> {
    let url = new URL(wanted.url, this.#base);
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      // Blob stores refuse a second authorisation, and no other origin may ever see the registry's.
      const mayAuthorize = url.origin === this.#base.origin && authorization !== undefined;
      const reply = await this.#once(url, wanted, mayAuthorize ? authorization : undefined);
      const location = reply.header('location');
      const isRedirect = reply.status >= 300 && reply.status < 400 && reply.status !== 304;
      if (!isRedirect || location === undefined) return reply;
      await reply.body.dump();
      if (!URL.canParse(location, url.href))
        throw this.#unavailable(wanted.what, 'redirects to something that is no address');
      const next = new URL(location, url);
      if (!/^https?:$/u.test(next.protocol) || (url.protocol === 'https:' && next.protocol === 'http:'))
        throw this.#unavailable(wanted.what, `redirects away from TLS, to ${next.host}`);
      url = next;
    }
    throw this.#unavailable(wanted.what, `redirects more than ${maxRedirects} times`);
  }

  async #once(url: URL, wanted: RegistryRequest, authorization: string | undefined): Promise<RegistryReply> {
    const { signal } = wanted;
    try {
      const reply = await request(url, {
        method: wanted.method,
        dispatcher: this.#dispatcher,
        headers: {
          'user-agent': 'lazybench',
          ...wanted.headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: wanted.once ?? wanted.body ?? null,
        headersTimeout: this.#patience.timeoutMs,
        bodyTimeout: this.#patience.timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
      return {
        status: reply.statusCode,
        header: (name) => {
          const value = reply.headers[name];
          return Array.isArray(value) ? value.join(', ') : value;
        },
        body: reply.body,
      };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof HarnessError) throw error;
      throw this.#unavailable(wanted.what, `does not answer: ${reasonOf(error)}`, error);
    }
  }

  #unauthorized(what: string, status: number): HarnessError {
    return new HarnessError(
      'REGISTRY_UNAUTHORIZED',
      `${this.#registry} does not let us at ${what} (${status}): log in, or check the name`,
    );
  }

  #busy(what: string, status: number, askedMs: number | undefined): HarnessError {
    if (status !== 429) return this.#unavailable(what, `answers ${status} for ${what}`);
    const wait = askedMs === undefined ? '' : ` and asks to wait ${Math.round(askedMs / 1000)} s`;
    return new HarnessError(
      'REGISTRY_RATE_LIMITED',
      `${this.#registry} limits our requests (429)${wait}; wanted: ${what}`,
      { details: askedMs === undefined ? {} : { retryAfterMs: askedMs } },
    );
  }

  #unavailable(what: string, how: string, cause?: unknown): HarnessError {
    return new HarnessError('REGISTRY_UNAVAILABLE', `${this.#registry} ${how}`, {
      details: { wanted: what },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** A sentence's end for a failed connection. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'it took too long';
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is not known';
  return error.message === '' ? code : error.message;
}
