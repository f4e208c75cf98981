import type { Readable } from 'node:stream';

/** What a request is about, for messages: the words of RBAC. */
export interface Purpose {
  readonly verb: string;
  readonly resource: string;
}

/** A short request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path with query, as it goes over the wire: nothing is encoded again. */
  readonly path: string;
  readonly purpose: Purpose;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Whatever the API server answered, errors included. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/** An answer that goes on: a watch, a log. */
export interface ApiStream {
  readonly status: number;
  /** Body of a 200; empty otherwise. */
  readonly body: Readable;
  /** Body of anything but a 200. */
  readonly text: string;
  readonly retryAfterMs: number | undefined;
}

/** HTTP to one API server with the user's credentials. Rejects with CLUSTER_UNREACHABLE when there is no answer. */
export interface ApiTransport extends AsyncDisposable {
  readonly server: string;
  request(request: ApiRequest): Promise<ApiAnswer>;
  /** `idleMs`: the connection is given up when nothing at all arrives for so long. */
  stream(request: ApiRequest & { readonly idleMs: number }): Promise<ApiStream>;
}
