import type { ServerResponse } from 'node:http';
import type { Clock } from '../../units/clock.ts';
import { ApiError } from './api-error.ts';
import type { JsonObject } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import { readVersion } from './list-request.ts';
import type { Change, ObjectStore } from './object-store.ts';
import { groupVersion } from './resources.ts';
import type { Selection } from './selection.ts';
import type { ServedResource } from './served-resource.ts';
import { toTable } from './table.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** How often an idle watch says how far it is (the watch cache's bookmarkFrequency). */
const bookmarkEveryMs = 60_000;
/** --min-request-timeout: how long a watch without timeoutSeconds may last. */
const defaultTimeoutSeconds = 1800;
/** A reader that leaves this much unread is cut off: it may come back from its last version. */
const maxUnreadBytes = 16 * 1024 * 1024;

/** What a change means to a watch with a selection: an object may come into it or leave it without being created or deleted. */
function eventType(change: Change, selection: Selection): EventType | undefined {
  const before = change.previous !== undefined && selection(change.previous);
  const after = change.kind !== 'deleted' && selection(change.object);
  if (after) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : undefined;
}

class WatchStream {
  readonly #resource: ServedResource;
  readonly #response: ServerResponse;
  readonly #table: boolean;
  readonly #include: string;
  readonly #clock: Clock;
  #first = true;

  constructor(
    resource: ServedResource,
    response: ServerResponse,
    options: { readonly table: boolean; readonly include: string; readonly clock: Clock },
  ) {
    this.#resource = resource;
    this.#response = response;
    this.#table = options.table;
    this.#include = options.include;
    this.#clock = options.clock;
  }

  object(type: EventType, object: KubeObject): void {
    const shown = this.#resource.show(object);
    if (!this.#table) {
      this.#send(type, shown);
      return;
    }
    const table = toTable(this.#resource.served, [shown], {
      nowNs: this.#clock.wallNs(),
      include: this.#include,
      metadata: { resourceVersion: object.metadata.resourceVersion },
      definitions: this.#first,
    });
    this.#first = false;
    this.#send(type, table);
  }

  bookmark(version: number, endOfInitial = false): void {
    this.#send('BOOKMARK', {
      kind: this.#resource.served.kind,
      apiVersion: groupVersion(this.#resource.served),
      metadata: {
        resourceVersion: String(version),
        creationTimestamp: null,
        ...(endOfInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
      },
    });
  }

  error(error: ApiError): void {
    this.#send('ERROR', error.toStatus());
  }

  #send(type: EventType | 'BOOKMARK' | 'ERROR', object: JsonObject): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    this.#response.write(`${JSON.stringify({ type, object })}\n`);
    if (this.#response.writableLength > maxUnreadBytes) this.#response.destroy();
  }
}

async function bookmarkUntil(
  stream: WatchStream,
  store: ObjectStore,
  timeoutMs: number,
  options: { readonly bookmarks: boolean; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  let leftMs = timeoutMs;
  while (leftMs > 0 && !options.signal.aborted) {
    const napMs = Math.min(leftMs, bookmarkEveryMs);
    try {
      await options.clock.sleep(napMs, options.signal);
    } catch {
      return; // The client or the server ended the watch.
    }
    leftMs -= napMs;
    if (options.bookmarks) stream.bookmark(store.version);
  }
}

/**
 * Answers a watch: from a version (an ERROR event 410 when the history no longer has it), or with everything that is
 * there first. Ends cleanly after timeoutSeconds, with the server, or with the client.
 */
export async function answerWatch(
  store: ObjectStore,
  resource: ServedResource,
  selection: Selection,
  namespace: string | undefined,
  query: URLSearchParams,
  response: ServerResponse,
  options: { readonly table: boolean; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const from = readVersion(query);
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  const bookmarks = ['true', '1'].includes(query.get('allowWatchBookmarks') ?? '');
  const sendInitial = query.get('sendInitialEvents') === 'true';
  const { table, clock } = options;
  const include = query.get('includeObject') ?? 'Metadata';
  const stream = new WatchStream(resource, response, { table, include, clock });
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  response.writeHead(200, {
    'content-type': table ? 'application/json;as=Table;g=meta.k8s.io;v=v1' : 'application/json',
    'cache-control': 'no-cache, private',
  });
  response.flushHeaders();
  const start = from === undefined || sendInitial ? store.version : from;
  let stop = (): void => undefined;
  try {
    if (from === undefined || sendInitial)
      for (const object of store.listAt(resource.stored, namespace, start).filter(selection))
        stream.object('ADDED', object);
    if (sendInitial && bookmarks) stream.bookmark(start, true);
    stop = store.watch(resource.stored, start, (change) => {
      const type = eventType(change, selection);
      if (type !== undefined) stream.object(type, change.object);
    });
    await bookmarkUntil(stream, store, (seconds > 0 ? seconds : defaultTimeoutSeconds) * 1000, {
      bookmarks,
      clock,
      signal: AbortSignal.any([gone.signal, options.signal]),
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    stream.error(error);
  } finally {
    stop();
  }
  response.end();
}
