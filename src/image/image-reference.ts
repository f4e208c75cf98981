import { HarnessError } from '../errors/harness-error.ts';

/** A registry reference, taken apart: `registry/repository:tag@digest`. */
export interface ImageReference {
  /** Host and port as people write it (`docker.io`, `ghcr.io`, `localhost:5000`). */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const repositoryPattern =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/u;
const tagPattern = /^\w[\w.-]{0,127}$/u;
const digestPattern = /^sha256:[0-9a-f]{64}$/u;
const registryPattern =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::\d{1,5})?$/u;

const invalid = (text: string, why: string): HarnessError =>
  new HarnessError('IMAGE_REFERENCE_INVALID', `${JSON.stringify(text)} is no image reference: ${why}`);

/**
 * Parses a registry reference by Docker's rules: without a registry it is docker.io, and there a name without a slash
 * is in `library/`; without tag and digest it is `latest`. Source: distribution/reference, normalize.go.
 */
export function parseImageReference(text: string): ImageReference {
  if (text === '') throw invalid(text, 'it is empty');
  if (text.includes('://')) throw invalid(text, 'leave out the scheme');
  const [, beforeDigest = '', digest] = /^([^@]*)(?:@(.*))?$/su.exec(text) ?? [];
  if (digest !== undefined && !digestPattern.test(digest))
    throw invalid(text, 'what follows @ must be sha256: and 64 hexadecimal digits');
  // A colon after the last slash starts the tag; one before it is a port.
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1);
  const name = colon === -1 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon === -1 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !tagPattern.test(tag))
    throw invalid(text, 'a tag has up to 128 letters, digits, dots, dashes and underscores');
  const { registry, repository } = splitRegistry(name);
  if (!registryPattern.test(registry)) throw invalid(text, `${JSON.stringify(registry)} is no host name`);
  if (!repositoryPattern.test(repository))
    throw invalid(
      text,
      /[A-Z]/u.test(repository)
        ? 'the repository name must be lower case'
        : 'the repository name is malformed',
    );
  const named = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    registry,
    repository,
    ...(named === undefined ? {} : { tag: named }),
    ...(digest === undefined ? {} : { digest }),
  };
}

const splitRegistry = (name: string): { registry: string; repository: string } => {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isHost =
    first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase();
  if (!isHost) return { registry: 'docker.io', repository: slash === -1 ? `library/${name}` : name };
  const rest = name.slice(slash + 1);
  const registry = first === 'index.docker.io' ? 'docker.io' : first;
  return {
    registry,
    repository: registry === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest,
  };
};

/** Writes a reference in full: `docker.io/library/debian:12`. */
export function formatImageReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/** Where an image is: what a scenario's `image:` and the commands take. */
export type ImageLocation =
  | { readonly kind: 'registry'; readonly reference: ImageReference }
  | { readonly kind: 'oci'; readonly directory: string; readonly tag?: string }
  | { readonly kind: 'oci-archive'; readonly file: string; readonly tag?: string }
  | { readonly kind: 'docker-archive'; readonly file: string; readonly tag?: string };

/**
 * Parses `oci:DIR[:tag]`, `oci-archive:FILE[:tag]`, `docker-archive:FILE[:repository:tag]` (the notation of
 * containers/image, which skopeo and podman share), `docker://NAME`, or a registry reference.
 */
export function parseImageLocation(text: string): ImageLocation {
  const [, transport, rest] = /^(oci|oci-archive|docker-archive):(.*)$/su.exec(text) ?? [];
  if (transport === undefined || rest === undefined)
    return { kind: 'registry', reference: parseImageReference(text.replace(/^docker:\/\//u, '')) };
  const colon = rest.indexOf(':');
  const place = colon === -1 ? rest : rest.slice(0, colon);
  if (place === '') throw invalid(text, `${transport}: needs a path`);
  const named = colon === -1 || colon === rest.length - 1 ? {} : { tag: rest.slice(colon + 1) };
  if (transport === 'oci') return { kind: 'oci', directory: place, ...named };
  return transport === 'oci-archive'
    ? { kind: 'oci-archive', file: place, ...named }
    : { kind: 'docker-archive', file: place, ...named };
}
