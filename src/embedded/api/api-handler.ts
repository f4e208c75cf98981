import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../units/clock.ts';
import { ApiError, badRequest, methodNotAllowed, unknownPath } from './api-error.ts';
import { bindPod } from './bind-pod.ts';
import type { LogBook } from './container-log.ts';
import { deleteObject, readDeleteOptions } from './delete-object.ts';
import {
  coreVersions,
  groupInfo,
  groupList,
  openApiDocument,
  openApiIndex,
  resourceList,
  versionInfo,
} from './discovery.ts';
import { isJsonObject, textAt, type JsonObject } from './json.ts';
import { keyOf, type KubeObject } from './kube-object.ts';
import { answerList } from './list-request.ts';
import { answerLog } from './log-request.ts';
import { admitNew } from './object-admission.ts';
import type { ObjectStore } from './object-store.ts';
import { answerProxy, parseProxyTarget, type PodProxyHandler } from './pod-proxy.ts';
import { mediaType, readJsonBody, readObjectBody } from './request-body.ts';
import { parseTarget, type RequestTarget } from './request-target.ts';
import { groupVersion, pods } from './resources.ts';
import { parseSelection } from './selection.ts';
import { servedResource } from './served-resource.ts';
import { toTable, wantsTable } from './table.ts';
import { patchObject, replaceObject } from './update-object.ts';
import { answerWatch } from './watch-request.ts';

/** What the requests work on. */
export interface ApiContext {
  readonly store: ObjectStore;
  readonly logs: LogBook;
  readonly clock: Clock;
  readonly proxyHandler: (namespace: string, pod: string) => PodProxyHandler | undefined;
  /** Aborts when the server stops: ends watches. */
  readonly signal: AbortSignal;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly search: string;
}

function sendJson(response: ServerResponse, code: number, body: JsonObject): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(code, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-cache, private',
  });
  response.end(bytes);
}

function discover(path: string, host: string): JsonObject | undefined {
  if (path === '/version') return versionInfo;
  if (path === '/api') return coreVersions(host);
  if (path === '/apis') return groupList;
  if (path === '/openapi/v3') return openApiIndex;
  if (path.startsWith('/openapi/v3/')) return openApiDocument(path.slice('/openapi/v3/'.length));
  const [root, group, version, ...more] = path.split('/').slice(1);
  if (root === 'api' && group !== undefined && version === undefined) return resourceList('', group);
  if (root !== 'apis' || group === undefined || more.length > 0) return undefined;
  return version === undefined ? groupInfo(group) : resourceList(group, version);
}

async function answerCollection(
  context: ApiContext,
  target: RequestTarget,
  exchange: Exchange,
): Promise<void> {
  const { store, clock } = context;
  const { request, response, method, query } = exchange;
  const resource = servedResource(target.resource);
  const namespace = target.namespace;
  const table = wantsTable(request.headers.accept);
  if (method === 'GET') {
    const selection = parseSelection(resource, namespace, query);
    if (['1', 'true'].includes(query.get('watch') ?? '')) {
      const { signal } = context;
      await answerWatch(store, resource, selection, namespace, query, response, { table, clock, signal });
    } else
      sendJson(
        response,
        200,
        answerList(store, resource, namespace, selection, query, { table, nowNs: clock.wallNs() }),
      );
    return;
  }
  if (method === 'POST' && (namespace !== undefined || !target.resource.namespaced)) {
    const body = resource.accept(await readObjectBody(request));
    const admitted = admitNew(store, resource.stored, namespace, body);
    if (query.get('dryRun') === 'All') {
      sendJson(response, 201, {
        ...admitted,
        kind: target.resource.kind,
        apiVersion: groupVersion(target.resource),
      });
      return;
    }
    sendJson(response, 201, resource.show(store.create(resource.stored, admitted)));
    return;
  }
  if (method === 'DELETE' && (namespace !== undefined || !target.resource.namespaced)) {
    const selection = parseSelection(resource, namespace, query);
    const options = readDeleteOptions(await readJsonBody(request), query);
    const doomed = store.list(resource.stored, namespace).filter(selection);
    for (const object of doomed) deleteObject(store, resource.stored, keyOf(object), options, clock.wallNs());
    sendJson(response, 200, {
      kind: `${target.resource.kind}List`,
      apiVersion: groupVersion(target.resource),
      metadata: { resourceVersion: String(store.version) },
      items: doomed.map(resource.show),
    });
    return;
  }
  throw methodNotAllowed();
}

async function answerPodSubresource(
  context: ApiContext,
  target: RequestTarget & { readonly name: string },
  exchange: Exchange,
): Promise<boolean> {
  const { store, logs, clock } = context;
  const { request, response, method, query } = exchange;
  const { namespace } = target;
  if (target.subresource === 'log' && method === 'GET') {
    const pod = store.require(pods, { namespace, name: target.name });
    await answerLog(pod, logs, query, response, clock.wallNs());
    return true;
  }
  if (target.subresource === 'proxy') {
    const { name, port } = parseProxyTarget(target.name);
    const pod = store.require(pods, { namespace, name });
    const handler = context.proxyHandler(namespace ?? '', name);
    await answerProxy(pod, { port, path: target.rest, search: exchange.search }, handler, request, response);
    return true;
  }
  if (target.subresource === 'binding' && method === 'POST') {
    const node = textAt(await readObjectBody(request), 'target', 'name');
    if (node === undefined) throw badRequest('target.name: Required value');
    bindPod(store, { namespace, name: target.name }, node, clock.wallNs());
    sendJson(response, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
    return true;
  }
  return false;
}

async function answerObject(
  context: ApiContext,
  target: RequestTarget & { readonly name: string },
  exchange: Exchange,
): Promise<void> {
  const { store, clock } = context;
  const { request, response, method, query } = exchange;
  if (target.resource === pods && (await answerPodSubresource(context, target, exchange))) return;
  if (target.subresource !== undefined && target.subresource !== 'status') throw unknownPath();
  const part = target.subresource === 'status' ? 'status' : 'main';
  const resource = servedResource(target.resource);
  const { stored } = resource;
  const key = { namespace: target.namespace, name: target.name };
  const reply = (object: KubeObject): void => {
    const shown = resource.show(object);
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    const include = query.get('includeObject') ?? 'Metadata';
    const asTable = (): JsonObject =>
      toTable(resource.served, [shown], { nowNs: clock.wallNs(), include, metadata, definitions: true });
    sendJson(response, 200, wantsTable(request.headers.accept) ? asTable() : shown);
  };
  if (method === 'GET') reply(store.require(stored, key));
  else if (method === 'PUT') {
    const body = resource.accept(await readObjectBody(request));
    reply(replaceObject(store, stored, key, body, part));
  } else if (method === 'PATCH') {
    const patch = await readJsonBody(request);
    reply(patchObject(store, stored, key, patch, mediaType(request), part));
  } else if (method === 'DELETE' && part === 'main') {
    const options = readDeleteOptions(await readJsonBody(request), query);
    sendJson(response, 200, deleteObject(store, stored, key, options, clock.wallNs()));
  } else throw methodNotAllowed();
}

async function answer(context: ApiContext, exchange: Exchange): Promise<void> {
  const { request, response, method, path } = exchange;
  if (['/readyz', '/livez', '/healthz'].includes(path)) {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok');
    return;
  }
  const discovered = method === 'GET' ? discover(path, request.headers.host ?? '') : undefined;
  if (discovered !== undefined) {
    sendJson(response, 200, discovered);
    return;
  }
  if (path === '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews' && method === 'POST') {
    // Whoever reaches this loopback port may do everything, whatever it is (kubectl asks in protobuf).
    const isJson = mediaType(request) === 'application/json';
    const body = isJson ? await readJsonBody(request) : null;
    request.resume();
    sendJson(response, 201, {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: {},
      ...(isJsonObject(body) ? body : {}),
      status: { allowed: true },
    });
    return;
  }
  const target = parseTarget(path);
  if (target === undefined) throw unknownPath();
  if (target.name === undefined) await answerCollection(context, target, exchange);
  else {
    if (target.resource.namespaced && target.namespace === undefined) throw unknownPath();
    await answerObject(context, { ...target, name: target.name }, exchange);
  }
}

/** Answers one request; every failure becomes a metav1.Status. */
export async function handleApiRequest(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A client that goes away is no error of ours.
  response.on('error', () => undefined);
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = url.pathname.length > 1 ? url.pathname.replace(/\/+$/u, '') : '/';
    const isProxy = /\/proxy(?:\/|$)/u.test(url.pathname);
    await answer(context, {
      request,
      response,
      method: request.method ?? 'GET',
      path: isProxy ? url.pathname : path,
      query: url.searchParams,
      search: url.search,
    });
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const why = error instanceof Error ? error.message : String(error);
    const status =
      error instanceof ApiError
        ? error
        : new ApiError(500, 'InternalError', `Internal error occurred: ${why}`, {
            causes: [{ message: why }],
          });
    sendJson(response, status.code, status.toStatus());
  }
}
