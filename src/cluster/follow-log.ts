import type { Clock } from '../units/clock.ts';
import { answerError } from './api-error.ts';
import type { ApiTransport } from './api-transport.ts';
import { parseLogLine } from '../evidence/log-line.ts';
import { readLines } from './read-lines.ts';

export interface FollowLogOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onLine: (line: { readonly atNs: bigint; readonly line: string }, arrivedNs: bigint) => void;
  /** Asked when the stream ends: true while the container may still print. */
  readonly isRunning: () => boolean;
}

// undici gives up a silent body; a quiet program is no error, so the log is simply opened again.
const idleMs = 120_000;

/**
 * Follows a container's log from its first line. Open it once the container has started. A broken stream is opened
 * again from the last whole second and lines already seen are dropped by timestamp and count. Resolves when the
 * container has ended, or `signal` aborts.
 */
export async function followLog(transport: ApiTransport, options: FollowLogOptions): Promise<void> {
  const { namespace, pod, container, clock, signal } = options;
  const purpose = { verb: 'get', resource: `pods/log (${namespace}/${pod})` };
  let lastNs: bigint | undefined;
  let seenAtLast = 0;
  const isStopped = (): boolean => signal.aborted;
  for (let empty = 0; !isStopped();) {
    const wasRunning = options.isRunning();
    const since = lastNs === undefined ? '' : `&sinceTime=${wholeSecond(lastNs)}`;
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}&follow=true&timestamps=true${since}`;
    let isReplayed = lastNs === undefined ? 0 : seenAtLast;
    let got = 0;
    try {
      const stream = await transport.stream({ method: 'GET', path, purpose, signal, idleMs });
      if (stream.status === 404) return;
      // 400: the container waits to start; 429 and 5xx pass.
      if (stream.status === 401 || stream.status === 403)
        throw answerError(transport.server, purpose, stream);
      for await (const { line: raw, arrivedNs } of readLines(stream.body, clock)) {
        const line = parseLogLine(raw);
        if (line === undefined) continue;
        if (lastNs !== undefined && line.atNs < lastNs) continue;
        if (line.atNs === lastNs && isReplayed > 0) {
          isReplayed -= 1;
          continue;
        }
        seenAtLast = line.atNs === lastNs ? seenAtLast + 1 : 1;
        lastNs = line.atNs;
        got += 1;
        options.onLine(line, arrivedNs);
      }
      // Everything was read to the end of a container that had ended before the reading began.
      if (stream.status === 200 && !wasRunning) return;
    } catch (error) {
      if (isStopped()) return;
      if (isRefusal(error) || empty > 20) throw error;
    }
    empty = got > 0 ? 0 : empty + 1;
    if (!options.isRunning() && wasRunning) continue;
    try {
      await clock.sleep(Math.min(50 * 2 ** Math.min(empty, 5), 1000), signal);
    } catch (error) {
      if (!isStopped()) throw error;
    }
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'CLUSTER_FORBIDDEN';

const wholeSecond = (atNs: bigint): string =>
  new Date(Number(atNs / 1_000_000_000n) * 1000).toISOString().replace('.000Z', 'Z');
