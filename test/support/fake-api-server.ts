import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers one request; the index counts requests to the same route from 0. */
export type FakeHandler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  index: number,
) => void | Promise<void>;

/** A Kubernetes API server that misbehaves on purpose: a script per route, on loopback. */
export interface FakeApiServer extends AsyncDisposable {
  readonly url: string;
  readonly kubeconfig: string;
  /** `METHOD path?query`, in order of arrival. */
  readonly requests: readonly string[];
}

/** Starts a server. A route is the beginning of `METHOD path`; the first that matches answers, 404 otherwise. */
export async function startFakeApiServer(
  routes: Readonly<Record<string, FakeHandler>>,
): Promise<FakeApiServer> {
  const requests: string[] = [];
  const counts = new Map<string, number>();
  const server = http.createServer((request, response) => {
    const line = `${request.method ?? ''} ${request.url ?? ''}`;
    requests.push(line);
    const found = Object.entries(routes).find(([route]) => line.startsWith(route));
    if (found === undefined) {
      sendJson(response, 404, { kind: 'Status', message: `no route for ${line}` });
      return;
    }
    const [route, handler] = found;
    const index = counts.get(route) ?? 0;
    counts.set(route, index + 1);
    void handler(request, response, index);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    requests,
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'fake',
      clusters: [{ name: 'fake', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'fake', user: { token: 'secret' } }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake', namespace: 'bench' } }],
    }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function sendJson(
  response: http.ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** A pod (or any object) as lists and watches carry it. */
export const fakeObject = (name: string, resourceVersion: number, more: object = {}) => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion: String(resourceVersion) },
  ...more,
});

export const fakeList = (resourceVersion: number, items: readonly object[] = []) => ({
  kind: 'List',
  metadata: { resourceVersion: String(resourceVersion) },
  items,
});

/** One line of a watch. */
export const watchEvent = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
