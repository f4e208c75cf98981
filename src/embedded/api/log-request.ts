import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { badRequest } from './api-error.ts';
import type { ContainerLog, LogBook } from './container-log.ts';
import { objectsAt, textAt } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import { nanosecondsText, parseRfc3339Ns } from './rfc3339.ts';

/** Query of the log subresource (core/v1 PodLogOptions). */
interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly sinceNs: bigint | undefined;
  readonly limitBytes: number | undefined;
}

const flag = (query: URLSearchParams, name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');

function count(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d+$/u.test(text)) throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}`);
  return Number(text);
}

function readOptions(query: URLSearchParams, nowNs: bigint): LogOptions {
  const sinceTime = query.get('sinceTime');
  const sinceSeconds = count(query, 'sinceSeconds');
  let sinceNs = sinceTime === null ? undefined : parseRfc3339Ns(sinceTime);
  if (sinceTime !== null && sinceNs === undefined)
    throw badRequest(`sinceTime: Invalid value: ${JSON.stringify(sinceTime)}`);
  if (sinceSeconds !== undefined) sinceNs = nowNs - BigInt(sinceSeconds) * 1_000_000_000n;
  return {
    follow: flag(query, 'follow'),
    timestamps: flag(query, 'timestamps'),
    tailLines: count(query, 'tailLines'),
    sinceNs,
    limitBytes: count(query, 'limitBytes'),
  };
}

function containerName(pod: KubeObject, asked: string | null): string {
  const names = objectsAt(pod, 'spec', 'containers').map((each) => textAt(each, 'name') ?? '');
  if (asked !== null && asked !== '') {
    if (!names.includes(asked))
      throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
    return asked;
  }
  const [only, ...others] = names;
  if (only === undefined || others.length > 0)
    throw badRequest(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`,
    );
  return only;
}

// kubelet, validateContainerLogStatus.
function waitingMessage(pod: KubeObject, container: string): string {
  const status = objectsAt(pod, 'status', 'containerStatuses').find((each) => each['name'] === container);
  const reason = textAt(status, 'state', 'waiting', 'reason') ?? 'ContainerCreating';
  const why = ['ErrImagePull', 'ImagePullBackOff'].includes(reason)
    ? 'trying and failing to pull image'
    : reason;
  return `container "${container}" in pod "${pod.metadata.name}" is waiting to start: ${why}`;
}

function firstLine(log: ContainerLog, options: LogOptions): number {
  let from = options.tailLines === undefined ? log.start : Math.max(log.start, log.end - options.tailLines);
  const { sinceNs } = options;
  if (sinceNs !== undefined) while (from < log.end && (log.line(from)?.atNs ?? 0n) < sinceNs) from += 1;
  return from;
}

async function send(log: ContainerLog, options: LogOptions, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  let next = firstLine(log, options);
  let left = options.limitBytes ?? Infinity;
  while (!gone.signal.aborted && left > 0) {
    next = Math.max(next, log.start);
    let batch = '';
    // At most 64 KiB at once, so that one long log neither doubles in memory nor holds up the event loop.
    for (let line = log.line(next); line !== undefined && batch.length < 65_536; line = log.line(next)) {
      batch += `${options.timestamps ? `${nanosecondsText(line.atNs)} ` : ''}${line.text}\n`;
      next += 1;
    }
    if (batch === '') {
      if (!options.follow || log.closed) break;
      await log.more(next, gone.signal);
      continue;
    }
    const bytes = Buffer.from(batch);
    const part = bytes.subarray(0, left);
    left -= part.length;
    if (!response.write(part)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
  }
  response.end();
}

/** Answers `GET …/pods/NAME/log`. Throws 400 for a container that does not exist or has not started. */
export async function answerLog(
  pod: KubeObject,
  logs: LogBook,
  query: URLSearchParams,
  response: ServerResponse,
  nowNs: bigint,
): Promise<void> {
  const container = containerName(pod, query.get('container'));
  const options = readOptions(query, nowNs);
  if (textAt(pod, 'spec', 'nodeName') === undefined) {
    // Like the real one: nothing is assigned yet, so there is nothing to say.
    response.writeHead(204).end();
    return;
  }
  const which = flag(query, 'previous') ? 'previous' : 'current';
  const log = logs.find(pod.metadata.uid, container, which);
  if (log === undefined)
    throw badRequest(
      which === 'previous'
        ? `previous terminated container "${container}" in pod "${pod.metadata.name}" not found`
        : waitingMessage(pod, container),
    );
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  await send(log, options, response);
}
