import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { HarnessError } from '../../errors/harness-error.ts';
import type { TrafficClass } from '../../evidence/raw-evidence.ts';
import type { ImageSink } from '../../image/image-source.ts';
import type { Clock } from '../../units/clock.ts';
import { systemClock } from '../../units/system-clock.ts';
import { prefetchHeader } from '../client/blob-stream.ts';
import type { Meter } from '../meter.ts';
import { AccessControl, type RegistryAuth } from './access-control.ts';
import { RegistryApiError } from './api-error.ts';
import { BlobSender } from './blob-sender.ts';
import { handleRegistryRequest, json } from './registry-handler.ts';
import { RegistryStorage } from './registry-storage.ts';
import { RequestMeter } from './request-meter.ts';

/** What a request is, for {@link RegistryServerOptions.classify}. */
export interface ClassifiedRequest {
  readonly method: string;
  readonly path: string;
  readonly range: readonly [number, number] | undefined;
}

/** How an embedded registry is started. */
export interface RegistryServerOptions {
  /** Where its blobs are; made when missing, kept at the end. */
  readonly directory: string;
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly auth?: RegistryAuth;
  /** Overrides the class that the manifests give a request. */
  readonly classify?: (request: ClassifiedRequest) => TrafficClass | undefined;
  readonly clock?: Clock;
}

/** A running embedded registry. */
export interface RegistryServer extends AsyncDisposable {
  /** `host:port`, as it stands in an image reference. */
  readonly address: string;
  readonly meter: Meter;
  /** Puts images into a repository directly: no HTTP, nothing counted. */
  sink(repository: string, tag: string): ImageSink;
}

/** Only paths and queries of requests matter: the host is whatever the client calls us. */
const base = 'http://registry';

/** Starts an OCI distribution registry over plain HTTP. Errors: PORT_IN_USE. */
export async function startRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  const clock = options.clock ?? systemClock;
  const storage = await RegistryStorage.open(options.directory);
  const sender = new BlobSender();
  const access = new AccessControl(options.auth ?? { kind: 'anonymous' }, () => clock.monotonicNs());
  const meter = new RequestMeter();
  const host = options.host ?? '127.0.0.1';

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const atNs = clock.wallNs();
    const startNs = clock.monotonicNs();
    const asked = request.url ?? '/';
    // What is no URL still gets an answer, and is counted.
    const url = new URL(URL.canParse(asked, base) ? asked : '/unreadable', base);
    const method = request.method ?? 'GET';
    let bodyBytes = 0;
    const range = askedRange(request.headers.range);
    response.once('close', () => {
      meter.record({
        atNs: String(atNs),
        class:
          options.classify?.({ method, path: url.pathname, range }) ?? classOf(storage, url.pathname, range),
        prefetch: request.headers[prefetchHeader] === '1',
        method,
        path: url.pathname,
        status: response.statusCode,
        ...(range === undefined ? {} : { range }),
        bodyBytes,
        durationMs: Number(clock.monotonicNs() - startNs) / 1e6,
      });
    });
    const exchange = { request, response, url, count: (bytes: number) => void (bodyBytes += bytes) };
    try {
      await handleRegistryRequest({ storage, sender, access }, exchange);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else if (error instanceof RegistryApiError) json(exchange, error.status, error.body(), error.headers);
      else json(exchange, 500, JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'internal error' }] }));
    }
    // What is left of a refused upload must not be taken for the next request.
    if (!request.complete) request.resume();
  };

  const server = createServer(
    { keepAliveTimeout: 30_000 },
    (request, response) => void answer(request, response),
  );
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      throw new HarnessError('PORT_IN_USE', `port ${options.port ?? 0} on ${host} is in use`, {
        hint: 'Choose another port, or 0 for a free one.',
        cause: error,
      });
    throw error;
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${String(port)}`,
    meter,
    sink: (repository, tag) => storage.sink(repository, tag),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await sender[Symbol.asyncDispose]();
    },
  };
}

/** Ranges with both ends, as lazy clients send them; `bytes=5-` reaches to what nobody knows here. */
const askedRange = (header: string | undefined): [number, number] | undefined => {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/u.exec(header ?? '') ?? [];
  return first === undefined || last === undefined ? undefined : [Number(first), Number(last)];
};

const classOf = (
  storage: RegistryStorage,
  path: string,
  range: readonly [number, number] | undefined,
): TrafficClass => {
  if (/\/manifests\/[^/]*$/u.test(path)) return 'manifest';
  const [, digest] = /\/blobs\/(sha256:[0-9a-f]{64})$/u.exec(path) ?? [];
  return digest === undefined ? 'other' : storage.classes.ofBlob(digest, range !== undefined);
};
