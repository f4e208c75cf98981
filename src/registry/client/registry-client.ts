import { Agent, type Dispatcher } from 'undici';
import { z } from 'zod';
import { HarnessError } from '../../errors/harness-error.ts';
import type { ByteRange } from '../../image/image-source.ts';
import { imageIndex, mediaTypes, type ImageIndex } from '../../image/manifest.ts';
import { maxManifestBytes, parseJson, parsed } from '../../image/resolve-image.ts';
import { readAll, sha256Digest } from '../../image/verified-blob.ts';
import type { Clock } from '../../units/clock.ts';
import { systemClock } from '../../units/system-clock.ts';
import { Authorizer } from './authorizer.ts';
import { readRegistryBlob } from './blob-stream.ts';
import { dockerConfigCredentials, type CredentialSource } from './credentials.ts';
import { pushBlob } from './push-blob.ts';
import { registryAddress } from './registry-address.ts';
import { RegistryTransport, type Patience, type RegistryReply } from './registry-transport.ts';

/** How a registry is talked to. */
export interface RegistryClientOptions {
  /** Default: the files of `docker login` and its like. */
  readonly credentials?: CredentialSource | undefined;
  /** HTTP without TLS; default: for loopback addresses only. */
  readonly plainHttp?: boolean | undefined;
  /** undici dispatcher to use, which stays the caller's; by default the client has its own. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly clock?: Clock;
  readonly patience?: Partial<Patience>;
}

/** A manifest as a registry gave it, its digest checked. */
export interface RegistryManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

type Blob = Readonly<{ digest: string; size: number }>;
interface Cancel {
  readonly signal?: AbortSignal | undefined;
}

const acceptedManifests = [
  mediaTypes.ociIndex,
  mediaTypes.dockerManifestList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
].join(', ');

const defaultPatience: Patience = { timeoutMs: 30_000, maxRetryAfterMs: 60_000, attempts: 4 };
const tagList = z.looseObject({ tags: z.array(z.string()).nullish() });

/**
 * Client of one registry (OCI distribution-spec 1.1). Errors of all methods: REGISTRY_UNAUTHORIZED,
 * REGISTRY_RATE_LIMITED, REGISTRY_UNAVAILABLE; others are named where they can come.
 */
export class RegistryClient implements AsyncDisposable {
  readonly registry: string;
  readonly #transport: RegistryTransport;
  readonly #ownAgent: Agent | undefined;

  constructor(registry: string, options: RegistryClientOptions = {}) {
    this.registry = registry;
    this.#ownAgent = options.dispatcher === undefined ? new Agent() : undefined;
    const dispatcher = options.dispatcher ?? this.#ownAgent ?? new Agent();
    const clock = options.clock ?? systemClock;
    const base = registryAddress(registry, options.plainHttp);
    const patience = { ...defaultPatience, ...options.patience };
    const authorizer = new Authorizer({
      registry,
      credentials: options.credentials ?? dockerConfigCredentials(),
      clock,
      dispatcher,
      plainHttp: base.protocol === 'http:',
      timeoutMs: patience.timeoutMs,
    });
    this.#transport = new RegistryTransport({ base, registry, authorizer, dispatcher, clock, patience });
  }

  /** Checks that there is a registry and that it lets us in. */
  async ping(options: Cancel = {}): Promise<void> {
    const reply = await this.#transport.send({
      method: 'GET',
      url: '/v2/',
      scope: '',
      what: '/v2/',
      ...options,
    });
    await reply.body.dump();
    if (reply.status !== 200) throw this.#odd(reply, 'a registry at /v2/');
  }

  /** A manifest or index by tag or digest. Errors: IMAGE_NOT_FOUND, DIGEST_MISMATCH. */
  async manifest(repository: string, reference: string, options: Cancel = {}): Promise<RegistryManifest> {
    const isDigest = reference.startsWith('sha256:');
    const what = `${this.registry}/${repository}${isDigest ? '@' : ':'}${reference}`;
    const reply = await this.#transport.send({
      method: 'GET',
      url: `/v2/${repository}/manifests/${reference}`,
      scope: `repository:${repository}:pull`,
      headers: { accept: acceptedManifests },
      what,
      ...options,
    });
    if (reply.status !== 200) throw await this.#notFound(reply, what);
    const bytes = await readAll(this.#body(reply, what), maxManifestBytes, `the manifest ${what}`);
    const digest = sha256Digest(bytes);
    // For a tag the registry's own word is what there is to compare with; not every one gives it.
    const promised = isDigest ? reference : reply.header('docker-content-digest');
    if (promised?.startsWith('sha256:') === true && promised !== digest)
      throw new HarnessError(
        'DIGEST_MISMATCH',
        `the manifest ${what} should have ${promised} but has ${digest}`,
      );
    const mediaType = reply.header('content-type')?.split(';')[0]?.trim() ?? mediaTypes.ociManifest;
    return { digest, mediaType, bytes };
  }

  /** Size of a blob; undefined when the repository has none such. */
  async blobSizeBytes(repository: string, digest: string, options: Cancel = {}): Promise<number | undefined> {
    const reply = await this.#transport.send({
      method: 'HEAD',
      url: `/v2/${repository}/blobs/${digest}`,
      scope: `repository:${repository}:pull`,
      what: `blob ${digest} of ${this.registry}/${repository}`,
      ...options,
    });
    await reply.body.dump();
    if (reply.status === 404) return undefined;
    if (reply.status !== 200) throw this.#odd(reply, `blob ${digest}`);
    return Number(reply.header('content-length') ?? 0);
  }

  /** Streams a blob (verified at its end) or a range of it (not verifiable); broken connections are resumed. */
  readBlob(
    repository: string,
    blob: Blob,
    options: Cancel & { readonly range?: ByteRange | undefined; readonly prefetch?: boolean } = {},
  ): AsyncIterable<Uint8Array> {
    return readRegistryBlob(this.#transport, { registry: this.registry, repository, blob, ...options });
  }

  /** Manifests that refer to a digest: the referrers API, or its tag where a registry lacks it. */
  async referrers(
    repository: string,
    digest: string,
    options: Cancel & { readonly artifactType?: string } = {},
  ): Promise<ImageIndex> {
    const { signal, artifactType } = options;
    const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
    const what = `the referrers of ${this.registry}/${repository}@${digest}`;
    const reply = await this.#transport.send({
      method: 'GET',
      url: `/v2/${repository}/referrers/${digest}${filter}`,
      scope: `repository:${repository}:pull`,
      what,
      signal,
    });
    const empty: ImageIndex = { schemaVersion: 2, manifests: [] };
    let index: ImageIndex;
    if (reply.status === 200) {
      const bytes = await readAll(this.#body(reply, what), maxManifestBytes, what);
      index = parsed(imageIndex, parseJson(bytes, what), what);
    } else {
      await reply.body.dump();
      const found = await this.manifest(repository, digest.replace(':', '-'), { signal }).catch(
        (error: unknown) => {
          if (error instanceof HarnessError && error.code === 'IMAGE_NOT_FOUND') return undefined;
          throw error;
        },
      );
      index = found === undefined ? empty : parsed(imageIndex, parseJson(found.bytes, what), what);
    }
    // A registry may leave the filtering to its client.
    return artifactType === undefined
      ? index
      : { ...index, manifests: index.manifests.filter((entry) => entry.artifactType === artifactType) };
  }

  /** Tags of a repository (its first page). Errors: IMAGE_NOT_FOUND. */
  async tags(repository: string, options: Cancel = {}): Promise<readonly string[]> {
    const what = `the tags of ${this.registry}/${repository}`;
    const reply = await this.#transport.send({
      method: 'GET',
      url: `/v2/${repository}/tags/list`,
      scope: `repository:${repository}:pull`,
      what,
      ...options,
    });
    if (reply.status !== 200) throw await this.#notFound(reply, what);
    const bytes = await readAll(this.#body(reply, what), maxManifestBytes, what);
    return parsed(tagList, parseJson(bytes, what), what).tags ?? [];
  }

  /** Uploads a blob: one stream, or chunks of `chunkBytes`; mounts it from another repository where that has it. */
  async pushBlob(
    repository: string,
    blob: Blob,
    content: AsyncIterable<Uint8Array>,
    options: Cancel & { readonly chunkBytes?: number; readonly mountFrom?: string } = {},
  ): Promise<void> {
    await pushBlob(this.#transport, { registry: this.registry, repository, blob, content, ...options });
  }

  /** Writes a manifest under a tag or its digest. Errors: DIGEST_MISMATCH when the registry took it for another. */
  async pushManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
    options: Cancel = {},
  ): Promise<{ digest: string }> {
    const what = `the manifest ${this.registry}/${repository}:${reference}`;
    const reply = await this.#transport.send({
      method: 'PUT',
      url: `/v2/${repository}/manifests/${reference}`,
      scope: `repository:${repository}:pull,push`,
      headers: { 'content-type': mediaType },
      body: bytes,
      what,
      ...options,
    });
    await reply.body.dump();
    if (reply.status !== 201) throw this.#odd(reply, what);
    const digest = sha256Digest(bytes);
    const said = reply.header('docker-content-digest');
    if (said !== undefined && said !== digest)
      throw new HarnessError('DIGEST_MISMATCH', `${what} was stored as ${said} instead of ${digest}`);
    return { digest };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ownAgent?.destroy();
  }

  async *#body(reply: RegistryReply, what: string): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of reply.body) if (piece instanceof Uint8Array) yield piece;
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error;
      throw new HarnessError('REGISTRY_UNAVAILABLE', `the answer of ${this.registry} for ${what} broke off`, {
        cause: error,
      });
    }
  }

  async #notFound(reply: RegistryReply, what: string): Promise<HarnessError> {
    await reply.body.dump();
    if (reply.status === 404) return new HarnessError('IMAGE_NOT_FOUND', `there is no ${what}`);
    return this.#odd(reply, what);
  }

  #odd(reply: RegistryReply, what: string): HarnessError {
    return new HarnessError('REGISTRY_UNAVAILABLE', `${this.registry} answered ${reply.status} for ${what}`);
  }
}
