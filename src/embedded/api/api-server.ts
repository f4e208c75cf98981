import { once } from 'node:events';
import { createServer } from 'node:http';
import { HarnessError } from '../../errors/harness-error.ts';
import type { Clock } from '../../units/clock.ts';
import { handleApiRequest } from './api-handler.ts';
import { LogBook } from './container-log.ts';
import { ObjectStore } from './object-store.ts';
import type { PodProxyHandler } from './pod-proxy.ts';
import { namespaces, serviceAccounts } from './resources.ts';

/** A running API server; disposing it ends every request and closes the port. */
export interface ApiServer extends AsyncDisposable {
  /** `http://HOST:PORT` */
  readonly url: string;
  /** The objects: what scheduler and kubelets in this process work on directly. */
  readonly store: ObjectStore;
  readonly logs: LogBook;
  /** Lets a handler answer what is sent to a pod through the proxy subresource; returns what ends that. */
  registerPodProxy(namespace: string, name: string, handler: PodProxyHandler): () => void;
}

/** How to start one. */
export interface ApiServerOptions {
  /** Default 127.0.0.1: there is no authentication. */
  readonly host?: string;
  /** 0 (default) = any free one. */
  readonly port?: number;
  readonly clock: Clock;
  /** Changes that a watch may go back; older versions are answered with 410. Default 20000. */
  readonly historyLimit?: number;
}

function prepareNamespaces(store: ObjectStore): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    store.create(namespaces, {
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    store.create(serviceAccounts, { metadata: { name: 'default', namespace: name } });
  }
}

/**
 * Starts the embedded cluster's API server: plain HTTP without authentication, for this machine only. Clients built
 * on client-node need `skipTLSVerify: true` in their cluster entry. Throws PORT_IN_USE.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, host = '127.0.0.1', port = 0 } = options;
  const store = new ObjectStore({
    clock,
    ...(options.historyLimit === undefined ? {} : { historyLimit: options.historyLimit }),
  });
  prepareNamespaces(store);
  const logs = new LogBook();
  const proxies = new Map<string, PodProxyHandler>();
  const stopping = new AbortController();
  const context = {
    store,
    logs,
    clock,
    signal: stopping.signal,
    proxyHandler: (namespace: string, pod: string) => proxies.get(`${namespace}/${pod}`),
  };
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    void handleApiRequest(context, request, response);
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      throw new HarnessError('PORT_IN_USE', `port ${port} of ${host} is in use`, {
        hint: 'Choose another port, or 0 for any free one.',
        details: { host, port },
        cause: error,
      });
    throw error;
  }
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    store,
    logs,
    registerPodProxy: (namespace, name, handler) => {
      const path = `${namespace}/${name}`;
      proxies.set(path, handler);
      return () => {
        if (proxies.get(path) === handler) proxies.delete(path);
      };
    },
    [Symbol.asyncDispose]: async () => {
      if (!server.listening) return;
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
