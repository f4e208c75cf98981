import { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import type * as ClientNode from '@kubernetes/client-node';
import pLimit from 'p-limit';
import { request as httpRequest, type Dispatcher } from 'undici';
import type { Clock } from '../units/clock.ts';
import { connectionError } from './api-error.ts';
import type { ApiAnswer, ApiRequest, ApiStream, ApiTransport } from './api-transport.ts';

/** The client has no throttling of its own: never more short requests at once than this. */
const maxConcurrent = 8;
const maxTries = 6;
const answerLimitMs = 60_000;

interface Authentication {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher | undefined;
}

/**
 * Talks to the server of a kubeconfig's current context. `client-node` finds the credentials (exec plugins, files,
 * OIDC) and makes the TLS connection pool; requests are our own, since its generated client loses microseconds,
 * encodes proxy paths twice and does not honour 429 (Retry-After).
 */
export class HttpTransport implements ApiTransport {
  readonly server: string;
  readonly #config: ClientNode.KubeConfig;
  readonly #requestContext: typeof ClientNode.RequestContext;
  readonly #clock: Clock;
  readonly #limit = pLimit(maxConcurrent);
  #dispatcher: Dispatcher | undefined;

  constructor(config: ClientNode.KubeConfig, module: typeof ClientNode, clock: Clock) {
    this.#config = config;
    this.#requestContext = module.RequestContext;
    this.#clock = clock;
    this.server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/u, '');
  }

  request(request: ApiRequest): Promise<ApiAnswer> {
    return this.#limit(async () => {
      for (let tried = 1; ; tried += 1) {
        const stream = await this.#send(request, answerLimitMs, tried === 1);
        if (stream === 'again') continue;
        const text = stream.status === 200 ? await this.#read(request, stream.body) : stream.text;
        if (stream.status !== 429 || tried >= maxTries) return { status: stream.status, text };
        await this.#clock.sleep(stream.retryAfterMs ?? 1000, request.signal);
      }
    });
  }

  async stream(request: ApiRequest & { readonly idleMs: number }): Promise<ApiStream> {
    const first = await this.#send(request, request.idleMs, true);
    if (first !== 'again') return first;
    const second = await this.#send(request, request.idleMs, false);
    if (second === 'again') throw connectionError(this.server, request.purpose, new Error('connection lost'));
    return second;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  /** `again`: a kept-alive connection turned out to be closed, and asking once more does no harm. */
  async #send(request: ApiRequest, idleMs: number, mayRepeat: boolean): Promise<ApiStream | 'again'> {
    request.signal?.throwIfAborted();
    try {
      const { headers, dispatcher } = await this.#authenticate(request);
      const answer = await httpRequest(this.server + request.path, {
        method: request.method,
        headers: {
          accept: 'application/json',
          ...headers,
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: request.body ?? null,
        headersTimeout: Math.max(idleMs, answerLimitMs),
        bodyTimeout: idleMs,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
        ...(dispatcher === undefined ? {} : { dispatcher }),
      });
      const retryAfterS = Number(answer.headers['retry-after']);
      return {
        status: answer.statusCode,
        body: answer.statusCode === 200 ? answer.body : Readable.from([]),
        text: answer.statusCode === 200 ? '' : await readText(answer.body),
        retryAfterMs: retryAfterS > 0 ? retryAfterS * 1000 : undefined,
      };
    } catch (error) {
      request.signal?.throwIfAborted();
      if (mayRepeat && request.method !== 'POST' && isClosedByPeer(error)) return 'again';
      throw connectionError(this.server, request.purpose, error);
    }
  }

  async #read(request: ApiRequest, body: Readable): Promise<string> {
    try {
      return await readText(body);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw connectionError(this.server, request.purpose, error);
    }
  }

  /** Headers anew for each request (tokens expire); the connection pool once. */
  async #authenticate(request: ApiRequest): Promise<Authentication> {
    const context = new this.#requestContext(this.server + request.path, request.method);
    await this.#config.applySecurityAuthentication(context);
    const made = context.getDispatcher();
    if (this.#dispatcher === undefined) this.#dispatcher = made;
    else if (made !== this.#dispatcher) await made?.close();
    return { headers: context.getHeaders(), dispatcher: this.#dispatcher };
  }
}

const isClosedByPeer = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'UND_ERR_SOCKET' || error.code === 'ECONNRESET' || error.code === 'EPIPE');
