import type { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import type { AgentHost } from './agent-host.ts';
import {
  agentTokenHeader,
  clockReply,
  countersReply,
  dropCachesReply,
  evictReply,
  imageReply,
  nodeReply,
  podReply,
  type ClockReply,
  type CountersReply,
  type DropCachesReply,
  type EvictReply,
  type ImageReply,
  type NodeReply,
  type PodReply,
} from './protocol.ts';

/** Where one node's agent is. */
export interface AgentPlace {
  readonly nodeName: string;
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  readonly token: string;
}

/** The node agent as a run uses it. Every call rejects with AGENT_UNAVAILABLE, naming node and request. */
export class AgentClient {
  readonly nodeName: string;
  readonly #host: AgentHost;
  readonly #place: AgentPlace;

  constructor(host: AgentHost, place: AgentPlace) {
    this.nodeName = place.nodeName;
    this.#host = host;
    this.#place = place;
  }

  node(signal?: AbortSignal): Promise<NodeReply> {
    return this.#call('GET', '/v1/node', nodeReply, signal);
  }

  clock(signal?: AbortSignal): Promise<ClockReply> {
    return this.#call('GET', '/v1/clock', clockReply, signal);
  }

  /** Counters of the node, and of what belongs to one pod where the node can tell. */
  counters(podUid: string | undefined, signal?: AbortSignal): Promise<CountersReply> {
    const query = podUid === undefined ? '' : `?pod=${encodeURIComponent(podUid)}`;
    return this.#call('GET', `/v1/counters${query}`, countersReply, signal);
  }

  image(reference: string, signal?: AbortSignal): Promise<ImageReply> {
    return this.#call('GET', `/v1/images/${encodeURIComponent(reference)}`, imageReply, signal);
  }

  pod(uid: string, signal?: AbortSignal): Promise<PodReply> {
    return this.#call('GET', `/v1/pods/${encodeURIComponent(uid)}`, podReply, signal);
  }

  /** Removes images by every reference and waits until their snapshots and cache files are gone. */
  evict(references: readonly string[], signal?: AbortSignal): Promise<EvictReply> {
    return this.#call('POST', '/v1/evict', evictReply, signal, { references });
  }

  dropCaches(signal?: AbortSignal): Promise<DropCachesReply> {
    return this.#call('POST', '/v1/drop-caches', dropCachesReply, signal, {});
  }

  async #call<T>(
    method: 'GET' | 'POST',
    path: string,
    schema: z.ZodType<T>,
    signal?: AbortSignal,
    body?: object,
  ): Promise<T> {
    const { namespace, pod, port, token, nodeName } = this.#place;
    const fail = (why: string, cause?: unknown): HarnessError =>
      new HarnessError(
        'AGENT_UNAVAILABLE',
        `the agent on ${nodeName} (${namespace}/${pod}): ${method} ${path}: ${why}`,
        {
          cause,
          details: { nodeName, namespace, pod, path },
        },
      );
    let answer: { readonly status: number; readonly text: string };
    try {
      answer = await this.#host.proxyPod({
        namespace,
        pod,
        port,
        method,
        path,
        headers: { [agentTokenHeader]: token },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal,
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw fail(error instanceof Error ? error.message : String(error), error);
    }
    if (answer.status !== 200) throw fail(`answers ${answer.status}: ${answer.text.slice(0, 300).trim()}`);
    let parsed: unknown;
    try {
      parsed = JSON.parse(answer.text);
    } catch (error) {
      throw fail('answers something that is not JSON', error);
    }
    const reply = schema.safeParse(parsed);
    if (reply.success) return reply.data;
    const [issue] = reply.error.issues;
    throw fail(
      `answers what this version does not understand (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}); agent and lazybench must speak the same protocol`,
      reply.error,
    );
  }
}
