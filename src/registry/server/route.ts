import { RegistryApiError } from './api-error.ts';

/** What a request is about. */
export type Route =
  | { readonly kind: 'base' | 'catalog' | 'token' | 'unknown' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly session: string };

const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/u;
const referencePattern = /^(?:sha256:[0-9a-f]{64}|\w[\w.-]{0,127})$/u;
const digestPattern = /^sha256:[0-9a-f]{64}$/u;
const sessionPattern = /^[0-9a-f-]{36}$/u;

/** Takes a path apart (distribution-spec 1.1, "Endpoints"); throws NAME_INVALID or DIGEST_INVALID for malformed parts. */
export function parseRoute(path: string): Route {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  if (path === '/token') return { kind: 'token' };
  // The repository may hold any number of slashes: the last matching keyword counts.
  const [, name, noun, rest = ''] =
    /^\/v2\/(.+)\/(tags\/list|manifests|blobs\/uploads|blobs|referrers)(?:\/([^/]*))?$/u.exec(path) ?? [];
  if (name === undefined || noun === undefined) return { kind: 'unknown' };
  if (!namePattern.test(name)) throw new RegistryApiError('NAME_INVALID', 'the repository name is malformed');
  const repository = name;
  const digest = (): string => {
    if (!digestPattern.test(rest)) throw new RegistryApiError('DIGEST_INVALID', 'the digest is malformed');
    return rest;
  };
  switch (noun) {
    case 'tags/list':
      return { kind: 'tags', repository };
    case 'manifests':
      if (!referencePattern.test(rest))
        throw new RegistryApiError('MANIFEST_INVALID', 'the tag or digest is malformed');
      return { kind: 'manifest', repository, reference: rest };
    case 'blobs':
      return { kind: 'blob', repository, digest: digest() };
    case 'referrers':
      return { kind: 'referrers', repository, digest: digest() };
    default:
      if (rest === '') return { kind: 'uploads', repository };
      return sessionPattern.test(rest) ? { kind: 'upload', repository, session: rest } : { kind: 'unknown' };
  }
}
