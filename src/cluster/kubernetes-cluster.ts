import { HarnessError } from '../errors/harness-error.ts';
import type { NodeFacts } from '../scenario/node-facts.ts';
import type { Clock } from '../units/clock.ts';
import { answerError } from './api-error.ts';
import {
  eventObject,
  listObject,
  podObject,
  secretObject,
  toNodeFacts,
  versionObject,
  type EventObject,
  type PodObject,
} from './api-objects.ts';
import type { ApiRequest, ApiTransport } from './api-transport.ts';
import type { Cluster, ProxyAnswer, ProxyRequest } from './cluster.ts';
import { followLog } from './follow-log.ts';
import { watchResource, type WatchSink } from './watch-resource.ts';

const pageSize = 500;
const deletionPollMs = 100;
const deletionLimitMs = 120_000;

/** {@link Cluster} over an API server's HTTP interface. */
export class KubernetesCluster implements Cluster {
  readonly context: string;
  readonly namespace: string;
  readonly #transport: ApiTransport;
  readonly #clock: Clock;

  constructor(transport: ApiTransport, place: { context: string; namespace: string }, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
    this.context = place.context;
    this.namespace = place.namespace;
  }

  get server(): string {
    return this.#transport.server;
  }

  async version(signal?: AbortSignal): Promise<string> {
    const purpose = { verb: 'get', resource: '/version' };
    const text = await this.#ask({ method: 'GET', path: '/version', purpose, signal });
    return versionObject.parse(JSON.parse(text)).gitVersion;
  }

  async nodes(signal?: AbortSignal): Promise<readonly NodeFacts[]> {
    return (await this.#list('/api/v1/nodes', 'nodes', '', signal)).map(toNodeFacts);
  }

  async createPod(manifest: object, signal?: AbortSignal): Promise<PodObject> {
    const text = await this.#ask({
      method: 'POST',
      path: this.#pods(),
      purpose: { verb: 'create', resource: `pods in namespace ${this.namespace}` },
      body: JSON.stringify(manifest),
      signal,
    });
    return podObject.parse(JSON.parse(text));
  }

  async deletePod(name: string, signal?: AbortSignal): Promise<void> {
    const path = `${this.#pods()}/${name}`;
    const purpose = { verb: 'delete', resource: `pods in namespace ${this.namespace}` };
    const deadlineNs = this.#clock.monotonicNs() + BigInt(deletionLimitMs) * 1_000_000n;
    const answer = await this.#transport.request({
      method: 'DELETE',
      path: `${path}?gracePeriodSeconds=0&propagationPolicy=Background`,
      purpose,
      signal,
    });
    if (answer.status === 404) return;
    if (answer.status >= 300) throw answerError(this.server, purpose, answer);
    for (;;) {
      const left = await this.#transport.request({
        method: 'GET',
        path,
        purpose: { ...purpose, verb: 'get' },
        signal,
      });
      if (left.status === 404) return;
      if (left.status >= 300) throw answerError(this.server, purpose, left);
      if (this.#clock.monotonicNs() > deadlineNs)
        throw new HarnessError(
          'CLUSTER_REFUSED',
          `pod ${name} is still there 2 minutes after it was deleted`,
          {
            hint: 'A finalizer or a node that does not answer may hold it: `kubectl describe pod` shows which.',
          },
        );
      await this.#clock.sleep(deletionPollMs, signal);
    }
  }

  async listPods(
    query: { readonly namespace: string | undefined; readonly labelSelector: string },
    signal?: AbortSignal,
  ): Promise<readonly PodObject[]> {
    const path = query.namespace === undefined ? '/api/v1/pods' : this.#pods(query.namespace);
    const where = query.namespace === undefined ? 'in all namespaces' : `in namespace ${query.namespace}`;
    const selector = `labelSelector=${encodeURIComponent(query.labelSelector)}`;
    return (await this.#list(path, `pods ${where}`, selector, signal)).map((item) => podObject.parse(item));
  }

  watchPod(name: string, sink: WatchSink, signal: AbortSignal): Promise<void> {
    return watchResource(this.#transport, sink, {
      path: `${this.#pods()}?fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`,
      purpose: { resource: `pods in namespace ${this.namespace}` },
      clock: this.#clock,
      signal,
    });
  }

  watchEvents(podName: string, sink: WatchSink, signal: AbortSignal): Promise<void> {
    return watchResource(this.#transport, sink, {
      path: `${this.#events()}?fieldSelector=${encodeURIComponent(`involvedObject.name=${podName}`)}`,
      purpose: { resource: `events in namespace ${this.namespace}` },
      clock: this.#clock,
      signal,
    });
  }

  async listEvents(podUid: string, signal?: AbortSignal): Promise<readonly EventObject[]> {
    const selector = `fieldSelector=${encodeURIComponent(`involvedObject.uid=${podUid}`)}`;
    const items = await this.#list(this.#events(), `events in namespace ${this.namespace}`, selector, signal);
    return items.map((item) => eventObject.parse(item));
  }

  followLog(options: Parameters<Cluster['followLog']>[0]): Promise<void> {
    return followLog(this.#transport, { ...options, namespace: this.namespace, clock: this.#clock });
  }

  proxyPod(request: ProxyRequest): Promise<ProxyAnswer> {
    const { namespace, pod, port, method, path, headers, body, signal } = request;
    return this.#transport.request({
      method,
      path: `${this.#pods(namespace)}/${pod}:${port}/proxy${path}`,
      purpose: {
        verb: method === 'GET' ? 'get' : 'create',
        resource: `pods/proxy in namespace ${namespace}`,
      },
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      signal,
    });
  }

  async readSecret(
    namespace: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const purpose = { verb: 'get', resource: `secret ${name} in namespace ${namespace}` };
    const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
    const answer = await this.#transport.request({ method: 'GET', path, purpose, signal });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw answerError(this.server, purpose, answer);
    const { data = {} } = secretObject.parse(JSON.parse(answer.text));
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  #pods(namespace = this.namespace): string {
    return `/api/v1/namespaces/${namespace}/pods`;
  }

  #events(): string {
    return `/api/v1/namespaces/${this.namespace}/events`;
  }

  async #ask(request: ApiRequest): Promise<string> {
    const answer = await this.#transport.request(request);
    if (answer.status >= 300) throw answerError(this.server, request.purpose, answer);
    return answer.text;
  }

  /** All pages of a list. */
  async #list(path: string, resource: string, selector: string, signal?: AbortSignal): Promise<unknown[]> {
    const items: unknown[] = [];
    let next: string | undefined;
    do {
      const query = [
        `limit=${pageSize}`,
        ...(selector === '' ? [] : [selector]),
        ...(next === undefined ? [] : [`continue=${encodeURIComponent(next)}`]),
      ].join('&');
      const text = await this.#ask({
        method: 'GET',
        path: `${path}?${query}`,
        purpose: { verb: 'list', resource },
        signal,
      });
      const page = listObject.parse(JSON.parse(text));
      items.push(...(page.items ?? []));
      next = page.metadata.continue === '' ? undefined : page.metadata.continue;
    } while (next !== undefined);
    return items;
  }
}
