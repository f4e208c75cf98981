import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessControl } from './access-control.ts';
import { RegistryApiError } from './api-error.ts';
import type { BlobSender } from './blob-sender.ts';
import { parseByteRange } from './byte-range.ts';
import type { RegistryStorage } from './registry-storage.ts';
import { parseRoute, type Route } from './route.ts';

/** What a handler works with. */
export interface HandlerContext {
  readonly storage: RegistryStorage;
  readonly sender: BlobSender;
  readonly access: AccessControl;
}

/** One request under way. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Called with body bytes that the kernel has taken. */
  readonly count: (bytes: number) => void;
}

const maxManifestBytes = 4 * 1024 * 1024;
const isRead = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';

/** Answers one request as OCI distribution-spec 1.1 says; throws RegistryApiError for refusals. */
export async function handleRegistryRequest(context: HandlerContext, exchange: Exchange): Promise<void> {
  const { request, url } = exchange;
  const route = parseRoute(url.pathname);
  if (route.kind === 'token') {
    json(exchange, 200, context.access.issue(request, url.searchParams));
    return;
  }
  const repository = 'repository' in route ? route.repository : undefined;
  context.access.check(request, repository, isRead(request.method) ? 'pull' : 'push');
  switch (route.kind) {
    case 'base': {
      json(exchange, 200, '{}');
      return;
    }
    case 'catalog': {
      json(exchange, 200, JSON.stringify({ repositories: context.storage.repositories() }));
      return;
    }
    case 'tags': {
      tags(context, exchange, route.repository);
      return;
    }
    case 'manifest': {
      await manifest(context, exchange, route);
      return;
    }
    case 'blob': {
      await blob(context, exchange, route);
      return;
    }
    case 'referrers': {
      const wanted = url.searchParams.get('artifactType') ?? undefined;
      const index = await context.storage.referrers(route.repository, route.digest, wanted);
      const filtered = wanted === undefined ? {} : { 'oci-filters-applied': 'artifactType' };
      json(exchange, 200, JSON.stringify(index), {
        'content-type': String(index.mediaType),
        ...filtered,
      });
      return;
    }
    case 'uploads': {
      await startUpload(context, exchange, route.repository);
      return;
    }
    case 'upload': {
      await upload(context, exchange, route);
      return;
    }
    case 'unknown':
      throw new RegistryApiError('NAME_UNKNOWN', 'there is nothing here');
  }
}

/** Sends a small body and counts it. */
export function json(
  { request, response, count }: Exchange,
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...headers,
  });
  if (request.method === 'HEAD' || bytes.length === 0) response.end();
  else {
    response.write(bytes, (error) => {
      if (error === undefined || error === null) count(bytes.length);
    });
    response.end();
  }
}

const unsupported = (method: string | undefined): RegistryApiError =>
  new RegistryApiError('UNSUPPORTED', `${method ?? ''} is not for this`);

const tags = ({ storage }: HandlerContext, exchange: Exchange, repository: string): void => {
  const { searchParams } = exchange.url;
  const last = searchParams.get('last') ?? '';
  const limit = Number(searchParams.get('n') ?? Number.MAX_SAFE_INTEGER);
  const rest = storage.tags(repository).filter((tag) => tag > last);
  const page = rest.slice(0, limit);
  const isMore = page.length < rest.length && page.length > 0;
  const next = `</v2/${repository}/tags/list?n=${limit}&last=${page.at(-1) ?? ''}>; rel="next"`;
  json(exchange, 200, JSON.stringify({ name: repository, tags: page }), isMore ? { link: next } : {});
};

const manifest = async (
  { storage }: HandlerContext,
  exchange: Exchange,
  { repository, reference }: Extract<Route, { kind: 'manifest' }>,
): Promise<void> => {
  const { request } = exchange;
  if (isRead(request.method)) {
    const found = await storage.manifest(repository, reference);
    json(exchange, 200, found.bytes, {
      'content-type': found.mediaType,
      'docker-content-digest': found.digest,
    });
    return;
  }
  if (request.method === 'DELETE') {
    await storage.deleteManifest(repository, reference);
    json(exchange, 202, '');
    return;
  }
  if (request.method !== 'PUT') throw unsupported(request.method);
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of bytesIn(request)) {
    sizeBytes += piece.length;
    if (sizeBytes > maxManifestBytes)
      throw new RegistryApiError('MANIFEST_INVALID', 'the manifest is too large');
    parts.push(piece);
  }
  const mediaType = request.headers['content-type'] ?? 'application/vnd.oci.image.manifest.v1+json';
  const { digest, subject } = await storage.putManifest(
    repository,
    reference,
    Buffer.concat(parts),
    mediaType,
  );
  json(exchange, 201, '', {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(subject === undefined ? {} : { 'oci-subject': subject }),
  });
};

const blob = async (
  { storage, sender }: HandlerContext,
  exchange: Exchange,
  { repository, digest }: Extract<Route, { kind: 'blob' }>,
): Promise<void> => {
  const { request, response, count } = exchange;
  if (!storage.hasBlob(repository, digest))
    throw new RegistryApiError('BLOB_UNKNOWN', `${repository} has no blob ${digest}`);
  const file = storage.blobFile(digest);
  if (request.method === 'DELETE') {
    await sender.forget(file);
    await storage.deleteBlob(repository, digest);
    json(exchange, 202, '');
    return;
  }
  if (!isRead(request.method)) throw unsupported(request.method);
  const sizeBytes = await sender.sizeBytes(file);
  const range = request.method === 'HEAD' ? undefined : parseByteRange(request.headers.range, sizeBytes);
  if (range === 'unsatisfiable')
    throw new RegistryApiError('RANGE_INVALID', 'the range lies outside the blob', {
      'content-range': `bytes */${sizeBytes}`,
    });
  const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': last - first + 1,
    'accept-ranges': 'bytes',
    'docker-content-digest': digest,
    ...(range === undefined ? {} : { 'content-range': `bytes ${first}-${last}/${sizeBytes}` }),
  });
  if (request.method === 'GET') await sender.send(file, { first, last }, response, count);
  response.end();
};

const digestPattern = /^sha256:[0-9a-f]{64}$/u;

const digestIn = (url: URL, name: string): string | undefined => {
  const digest = url.searchParams.get(name) ?? undefined;
  if (digest !== undefined && !digestPattern.test(digest))
    throw new RegistryApiError('DIGEST_INVALID', 'the digest is malformed');
  return digest;
};

const created = (exchange: Exchange, repository: string, digest: string): void =>
  json(exchange, 201, '', { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest });

const startUpload = async (
  { storage, access }: HandlerContext,
  exchange: Exchange,
  repository: string,
): Promise<void> => {
  const { request, url } = exchange;
  if (request.method !== 'POST') throw unsupported(request.method);
  const mounted = digestIn(url, 'mount');
  const from = url.searchParams.get('from');
  if (mounted !== undefined && from !== null) {
    access.check(request, from, 'pull');
    if (await storage.mount(repository, mounted, from)) {
      created(exchange, repository, mounted);
      return;
    }
  }
  const session = await storage.startUpload();
  const whole = digestIn(url, 'digest');
  if (whole !== undefined) {
    await storage.append(session, bytesIn(request));
    await storage.finishUpload(repository, session, whole);
    created(exchange, repository, whole);
    return;
  }
  accepted(exchange, repository, session, 0);
};

const accepted = (
  exchange: Exchange,
  repository: string,
  session: string,
  sizeBytes: number,
  status = 202,
): void =>
  json(exchange, status, '', {
    location: `/v2/${repository}/blobs/uploads/${session}`,
    'docker-upload-uuid': session,
    range: `0-${Math.max(0, sizeBytes - 1)}`,
  });

const upload = async (
  { storage }: HandlerContext,
  exchange: Exchange,
  { repository, session }: Extract<Route, { kind: 'upload' }>,
): Promise<void> => {
  const { request, url } = exchange;
  const before = storage.uploadedBytes(session);
  switch (request.method) {
    case 'GET': {
      accepted(exchange, repository, session, before, 204);
      return;
    }
    case 'DELETE':
      await storage.cancelUpload(session);
      {
        json(exchange, 204, '');
        return;
      }
    case 'PATCH':
    case 'PUT': {
      const [, first] = /^(?:bytes[ =])?(\d+)-\d+/u.exec(request.headers['content-range'] ?? '') ?? [];
      if (first !== undefined && Number(first) !== before)
        throw new RegistryApiError('BLOB_UPLOAD_INVALID', `the upload goes on at byte ${before}`, {
          location: `/v2/${repository}/blobs/uploads/${session}`,
          range: `0-${Math.max(0, before - 1)}`,
        });
      const digest = digestIn(url, 'digest');
      if (request.method === 'PUT' && digest === undefined)
        throw new RegistryApiError('DIGEST_INVALID', 'the digest is missing');
      const sizeBytes = await storage.append(session, bytesIn(request));
      if (request.method === 'PATCH' || digest === undefined) {
        accepted(exchange, repository, session, sizeBytes);
        return;
      }
      await storage.finishUpload(repository, session, digest);
      created(exchange, repository, digest);
      return;
    }
    default:
      throw unsupported(request.method);
  }
};

async function* bytesIn(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const piece of request) if (piece instanceof Uint8Array) yield piece;
}
