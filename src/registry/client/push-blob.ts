import { Readable } from 'node:stream';
import { HarnessError } from '../../errors/harness-error.ts';
import { verifiedBlob } from '../../image/verified-blob.ts';
import type { RegistryReply, RegistryTransport } from './registry-transport.ts';

/** A blob on its way to a registry. */
export interface BlobPush {
  readonly registry: string;
  readonly repository: string;
  readonly blob: { readonly digest: string; readonly size: number };
  readonly content: AsyncIterable<Uint8Array>;
  /** Sends pieces of this size (PATCH) instead of one stream (PUT). */
  readonly chunkBytes?: number | undefined;
  /** Another repository of the registry that may have it: nothing is sent then. */
  readonly mountFrom?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Pushes one blob: mounts it, or uploads it whole or in chunks. Sources: OCI distribution-spec 1.1, "Push". */
export async function pushBlob(transport: RegistryTransport, push: BlobPush): Promise<void> {
  const { repository, blob, signal } = push;
  const what = `the upload of blob ${blob.digest} to ${push.registry}/${repository}`;
  const scope = `repository:${repository}:pull,push`;
  const mount =
    push.mountFrom === undefined ? '' : `?mount=${blob.digest}&from=${encodeURIComponent(push.mountFrom)}`;
  const common = { scope, signal, what };
  const opened = await transport.send({
    ...common,
    method: 'POST',
    url: `/v2/${repository}/blobs/uploads/${mount}`,
    headers: { 'content-length': '0' },
  });
  await opened.body.dump();
  if (opened.status === 201 && push.mountFrom !== undefined) return;
  let location = uploadLocation(opened, 202, what);
  const content = verifiedBlob(push.content, blob, `blob ${blob.digest}`);
  const type = { 'content-type': 'application/octet-stream' };
  if (push.chunkBytes !== undefined) {
    let at = 0;
    for await (const chunk of chunksOf(content, push.chunkBytes)) {
      const sent = await transport.send({
        ...common,
        method: 'PATCH',
        url: location,
        headers: { ...type, 'content-range': `${at}-${at + chunk.length - 1}` },
        body: chunk,
      });
      await sent.body.dump();
      location = uploadLocation(sent, 202, what);
      at += chunk.length;
    }
  }
  const isStream = push.chunkBytes === undefined && blob.size > 0;
  const closed = await transport.send({
    ...common,
    method: 'PUT',
    url: withDigest(location, blob.digest),
    headers: { ...type, 'content-length': String(isStream ? blob.size : 0) },
    ...(isStream ? { once: Readable.from(content, { objectMode: false }) } : {}),
  });
  await closed.body.dump();
  if (closed.status !== 201) throw refused(what, closed.status);
}

async function* chunksOf(content: AsyncIterable<Uint8Array>, chunkBytes: number): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const piece of content) {
    let rest = piece;
    while (heldBytes + rest.length >= chunkBytes) {
      const taken = rest.subarray(0, chunkBytes - heldBytes);
      yield Buffer.concat([...held, taken]);
      held = [];
      heldBytes = 0;
      rest = rest.subarray(taken.length);
    }
    if (rest.length > 0) held.push(rest);
    heldBytes += rest.length;
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}

const refused = (what: string, status: number): HarnessError =>
  new HarnessError('REGISTRY_UNAVAILABLE', `the registry refused ${what} (${status})`);

const uploadLocation = (reply: RegistryReply, expected: number, what: string): string => {
  const location = reply.header('location');
  if (reply.status !== expected || location === undefined) throw refused(what, reply.status);
  return location;
};

/** The location may already carry a query, which is the registry's own. */
const withDigest = (location: string, digest: string): string =>
  `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
