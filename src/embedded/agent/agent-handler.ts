import { createHash, timingSafeEqual } from 'node:crypto';
import { agentTokenHeader, evictRequest } from '../../agent/protocol.ts';
import type { Clock } from '../../units/clock.ts';
import type { PodProxyHandler } from '../api/pod-proxy.ts';
import { evictReply, imageReply, nodeReply, podReply } from './agent-replies.ts';
import type { EmbeddedNode } from './embedded-node.ts';
import { readCounters } from './node-counters.ts';

/** The largest request has 64 references of at most 255 + 128 characters. */
const maxBodyBytes = 64 * 1024;

const json = (status: number, body: object): Response => Response.json(body, { status });
const refuse = (status: number, error: string): Response => json(status, { error });
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * The node agent's protocol (src/agent/protocol.ts) for an embedded node: what answers behind the API server's pod
 * proxy. Every request must carry the token; it is compared in constant time (over digests, so that not even its
 * length shows).
 */
export function createAgentHandler(options: {
  readonly node: EmbeddedNode;
  readonly token: string;
  readonly version: string;
  readonly clock: Clock;
}): PodProxyHandler {
  const expected = digestOf(options.token);
  return async (request) => {
    const given = digestOf(request.headers.get(agentTokenHeader) ?? '');
    if (!timingSafeEqual(given, expected)) {
      return refuse(401, `the header ${agentTokenHeader} is missing or wrong`);
    }
    return answer(request, options);
  };
}

async function answer(
  request: Request,
  { node, version, clock }: { readonly node: EmbeddedNode; readonly version: string; readonly clock: Clock },
): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const [, root, what, argument, ...more] = pathname.split('/');
  if (root !== 'v1' || more.length > 0) return refuse(404, `no such path: ${pathname}`);
  const route = `${request.method} ${what ?? ''}`;
  const named = argument === undefined ? undefined : decoded(argument);
  if (named !== undefined && named !== '') {
    if (route === 'GET images') return json(200, await imageReply(node, named));
    if (route === 'GET pods') {
      const pod = podReply(node, named);
      return pod === undefined ? refuse(404, `no container of pod ${named} on this node`) : json(200, pod);
    }
    return refuse(404, `no such path: ${pathname}`);
  }
  switch (route) {
    case 'GET node':
      return json(200, nodeReply(node, version));
    case 'GET clock':
      return json(200, { atNs: clock.wallNs().toString() });
    case 'GET counters': {
      const sources = await readCounters(node, searchParams.get('pod') ?? undefined);
      return json(200, { atNs: clock.wallNs().toString(), sources });
    }
    case 'POST evict': {
      const body = await readJson(request);
      if (body.kind === 'refused') return body.response;
      const parsed = evictRequest.safeParse(body.value);
      if (!parsed.success) return refuse(400, parsed.error.issues.map(({ message }) => message).join('; '));
      return json(200, await evictReply(node, parsed.data.references, clock));
    }
    case 'POST drop-caches':
      return json(200, {
        dropped: false,
        why: 'the embedded node shares the page cache of this machine with everything else on it',
      });
    default:
      return refuse(404, `no such path: ${request.method} ${pathname}`);
  }
}

const decoded = (segment: string): string | undefined => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
};

type Body =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly response: Response };

async function readJson(request: Request): Promise<Body> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null) return { kind: 'refused', response: refuse(400, 'the body is missing') };
  for await (const part of body) {
    sizeBytes += part.length;
    parts.push(part);
    if (sizeBytes > maxBodyBytes) {
      return { kind: 'refused', response: refuse(413, `a body has at most ${String(maxBodyBytes)} bytes`) };
    }
  }
  try {
    return { kind: 'json', value: JSON.parse(Buffer.concat(parts).toString()) };
  } catch {
    return { kind: 'refused', response: refuse(400, 'the body is not JSON') };
  }
}
