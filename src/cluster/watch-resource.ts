import { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import type { Clock } from '../units/clock.ts';
import { answerError } from './api-error.ts';
import { listObject } from './api-objects.ts';
import type { ApiTransport, Purpose } from './api-transport.ts';
import { readLines } from './read-lines.ts';

/** What a watch tells: objects, and the times in which it was blind. */
export interface WatchSink {
  /** `arrivedNs`: client clock, taken before anything else. `DELETED` also when a relist lacks an object. */
  onObject(change: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown, arrivedNs: bigint): void;
  /** Objects that arrived in here may have existed for any part of it. */
  onGap(fromNs: bigint, toNs: bigint): void;
  /** The first list is in: whatever happens from now on is seen. */
  onOpen(): void;
}

export interface WatchOptions {
  /** Collection path with its selectors as query, e.g. `/api/v1/namespaces/a/pods?fieldSelector=…`. */
  readonly path: string;
  readonly purpose: Omit<Purpose, 'verb'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

// The server ends the watch by itself before anything in between gets nervous; quieter than that is a dead line.
const serverTimeoutS = 25;
const idleMs = 35_000;
/** What was missed is sent right after a reconnect; what arrives this soon after it counts as missed. */
const replayNs = 50_000_000n;
const maxFailuresInARow = 8;

const watchLine = z.looseObject({ type: z.string(), object: z.looseObject({}) });
const objectKey = z.looseObject({
  metadata: z.looseObject({
    name: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string(),
  }),
});
const errorStatus = z.looseObject({ code: z.number().optional(), message: z.string().optional() });

/** How one connection ended, and whether anything came. */
type Ending = { readonly kind: 'closed' | 'broken'; readonly heard: boolean } | { readonly kind: 'expired' };

/**
 * LIST, then WATCH from its resourceVersion, reconnecting from the last version seen; 410 Gone, as a status or
 * inside the stream, makes a new list and a gap. Runs until `signal` aborts (and then resolves); rejects when access
 * is refused or the server stays unreachable.
 */
export async function watchResource(
  transport: ApiTransport,
  sink: WatchSink,
  options: WatchOptions,
): Promise<void> {
  const { clock, signal } = options;
  const known = new Map<string, unknown>();
  let version: string | undefined;
  let blindSinceNs: bigint | undefined;
  let failures = 0;
  let opened = false;
  const isStopped = (): boolean => signal.aborted;
  try {
    while (!isStopped()) {
      let ending: Ending;
      try {
        if (version === undefined) {
          version = await list();
          if (blindSinceNs !== undefined) sink.onGap(blindSinceNs, clock.wallNs());
          blindSinceNs = undefined;
          if (!opened) sink.onOpen();
          opened = true;
        }
        ending = await watch(version);
      } catch (error) {
        if (isStopped()) return;
        if (!isPassing(error) || !opened || failures >= maxFailuresInARow) throw error;
        ending = { kind: 'broken', heard: false };
      }
      blindSinceNs ??= clock.wallNs();
      if (ending.kind === 'expired') {
        version = undefined;
        failures += 1;
      } else failures = ending.heard ? 0 : failures + 1;
      // A quiet watch that the server ended in its own time needs no pause; one that ends again at once does.
      if (failures > 1) await clock.sleep(Math.min(100 * 2 ** (failures - 2), 5000), signal);
      if (failures > maxFailuresInARow && ending.kind !== 'closed')
        throw new HarnessError(
          'CLUSTER_UNREACHABLE',
          `the watch on ${options.purpose.resource} keeps failing`,
        );
    }
  } catch (error) {
    if (!isStopped()) throw error;
  }

  function note(change: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown, arrivedNs: bigint): void {
    const { metadata } = objectKey.parse(object);
    version = metadata.resourceVersion;
    const key = metadata.uid ?? metadata.name ?? '';
    if (change === 'DELETED') known.delete(key);
    else known.set(key, object);
    sink.onObject(change, object, arrivedNs);
  }

  async function list(): Promise<string> {
    const purpose = { verb: 'list', ...options.purpose };
    const answer = await transport.request({ method: 'GET', path: options.path, purpose, signal });
    const arrivedNs = clock.wallNs();
    if (answer.status !== 200) throw answerError(transport.server, purpose, answer);
    const { metadata, items } = listObject.parse(JSON.parse(answer.text));
    const listed = new Map(
      (items ?? []).map((item) => {
        const { metadata: own } = objectKey.parse(item);
        return [own.uid ?? own.name ?? '', { item, resourceVersion: own.resourceVersion }];
      }),
    );
    for (const [key, object] of known)
      if (!listed.has(key)) {
        known.delete(key);
        sink.onObject('DELETED', object, arrivedNs);
      }
    for (const [key, { item, resourceVersion }] of listed) {
      const before = known.get(key);
      if (before !== undefined && objectKey.parse(before).metadata.resourceVersion === resourceVersion)
        continue;
      note(before === undefined ? 'ADDED' : 'MODIFIED', item, arrivedNs);
    }
    return metadata.resourceVersion ?? '0';
  }

  async function watch(from: string): Promise<Ending> {
    const purpose = { verb: 'watch', ...options.purpose };
    const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${serverTimeoutS}&resourceVersion=${encodeURIComponent(from)}`;
    const path = `${options.path}${options.path.includes('?') ? '&' : '?'}${query}`;
    const stream = await transport.stream({ method: 'GET', path, purpose, signal, idleMs });
    if (stream.status === 410) return { kind: 'expired' };
    if (stream.status === 429) {
      await clock.sleep(stream.retryAfterMs ?? 1000, signal);
      return { kind: 'broken', heard: true };
    }
    if (stream.status !== 200) throw answerError(transport.server, purpose, stream);
    if (blindSinceNs !== undefined) sink.onGap(blindSinceNs, clock.wallNs() + replayNs);
    blindSinceNs = undefined;
    const openedNs = clock.monotonicNs();
    let heard = false;
    try {
      for await (const { line, arrivedNs } of readLines(stream.body, clock)) {
        if (line.trim() === '') continue;
        const { type, object } = watchLine.parse(JSON.parse(line));
        heard = true;
        if (type === 'ERROR') {
          if (errorStatus.parse(object).code === 410) return { kind: 'expired' };
          return { kind: 'broken', heard: false };
        }
        if (type === 'BOOKMARK') version = objectKey.parse(object).metadata.resourceVersion;
        else if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') note(type, object, arrivedNs);
      }
    } catch (error) {
      if (isStopped() || error instanceof z.ZodError || error instanceof SyntaxError) throw error;
      return { kind: 'broken', heard };
    }
    const lastedLong = clock.monotonicNs() - openedNs > 1_000_000_000n;
    return { kind: 'closed', heard: heard || lastedLong };
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof HarnessError && error.code === 'CLUSTER_UNREACHABLE';
