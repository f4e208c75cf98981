import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { ApiError, badRequest } from './api-error.ts';
import { textAt } from './json.ts';
import type { KubeObject } from './kube-object.ts';

/** Serves what is sent to a pod through the API server's proxy; stands for the process that listens in the pod. */
export type PodProxyHandler = (request: Request) => Promise<Response>;

// RFC 9110 §7.6.1, and what describes the hop rather than the message.
const perHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
]);

function forwardedHeaders(request: IncomingMessage, path: string): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    // kube-apiserver removes the caller's credentials before it forwards.
    if (perHop.has(name) || name === 'authorization' || value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) headers.append(name, each);
  }
  const caller = request.socket.remoteAddress;
  if (caller !== undefined) headers.append('x-forwarded-for', caller);
  headers.set('x-forwarded-host', request.headers.host ?? '');
  headers.set('x-forwarded-proto', 'http');
  headers.set('x-forwarded-uri', path);
  return headers;
}

async function sendBody(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  for await (const part of body)
    if (!response.write(part)) await once(response, 'drain', { signal: AbortSignal.timeout(60_000) });
}

/** Where a proxied request goes: the parts of `[http:]NAME[:PORT]`. */
export function parseProxyTarget(segment: string): { readonly name: string; readonly port: string } {
  const parts = segment.split(':');
  const [first = '', second] = parts;
  if (parts.length > 3) throw badRequest(`invalid pod request ${JSON.stringify(segment)}`);
  if (parts.length === 3 || ['http', 'https'].includes(first)) {
    if (first !== 'http' && first !== '') throw badRequest(`invalid pod request ${JSON.stringify(segment)}`);
    return { name: second ?? '', port: parts[2] ?? '80' };
  }
  return { name: first, port: second ?? '80' };
}

/** Forwards a request to the pod's handler and its answer to the caller. */
export async function answerProxy(
  pod: KubeObject,
  target: { readonly port: string; readonly path: string; readonly search: string },
  handler: PodProxyHandler | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const address = textAt(pod, 'status', 'podIP');
  if (address === undefined) throw badRequest('address not allowed');
  if (handler === undefined)
    throw new ApiError(
      503,
      'ServiceUnavailable',
      `error trying to reach service: dial tcp ${address}:${target.port}: connect: connection refused`,
    );
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const method = request.method ?? 'GET';
  const hasBody = !['GET', 'HEAD'].includes(method);
  const forwarded = new Request(`http://${address}:${target.port}${target.path}${target.search}`, {
    method,
    headers: forwardedHeaders(request, new URL(request.url ?? '/', 'http://localhost').pathname),
    signal: gone.signal,
    ...(hasBody ? { body: Readable.toWeb(request), duplex: 'half' } : {}),
  });
  const answer = await handler(forwarded);
  response.writeHead(
    answer.status,
    Object.fromEntries([...answer.headers].filter(([name]) => !perHop.has(name))),
  );
  if (answer.body !== null && method !== 'HEAD') await sendBody(answer.body, response);
  response.end();
}
