import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { HarnessError } from '../../errors/harness-error.ts';
import type { ImageSink } from '../../image/image-source.ts';
import { descriptor, type ImageIndex } from '../../image/manifest.ts';
import { sha256Digest, verifiedBlob } from '../../image/verified-blob.ts';
import { RegistryApiError } from './api-error.ts';
import { TrafficClasses } from './traffic-classes.ts';

/** What the storage reads of a manifest, whatever its kind. */
const anyManifest = z.looseObject({
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptor.optional(),
  layers: z.array(descriptor).optional(),
  subject: descriptor.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const storedRepository = z.strictObject({
  blobs: z.array(z.string()),
  tags: z.record(z.string(), z.string()),
  manifests: z.record(z.string(), z.string()),
});

interface Repository {
  readonly blobs: Set<string>;
  readonly tags: Map<string, string>;
  /** Digest → media type; the bytes are in the blob store. */
  readonly manifests: Map<string, string>;
}

/**
 * What an embedded registry holds: blobs and manifests as files named by their digests (`blobs/sha256/…`), one JSON file
 * a repository with what belongs to it, uploads beside them. Opened again, it has what it had.
 */
export class RegistryStorage {
  readonly #directory: string;
  readonly #repositories = new Map<string, Repository>();
  readonly classes = new TrafficClasses();
  /** Size of each upload that is under way. */
  readonly #uploads = new Map<string, number>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens a directory, which is made when missing. */
  static async open(directory: string): Promise<RegistryStorage> {
    const storage = new RegistryStorage(directory);
    for (const part of ['blobs/sha256', 'repositories', 'uploads'])
      await mkdir(path.join(directory, part), { recursive: true });
    for (const file of await readdir(path.join(directory, 'repositories'))) {
      if (!file.endsWith('.json')) continue;
      const text = await readFile(path.join(directory, 'repositories', file), 'utf8');
      const saved = storedRepository.parse(JSON.parse(text));
      const manifests = new Map(Object.entries(saved.manifests));
      storage.#repositories.set(decodeURIComponent(file.slice(0, -'.json'.length)), {
        blobs: new Set(saved.blobs),
        tags: new Map(Object.entries(saved.tags)),
        manifests,
      });
      for (const digest of manifests.keys())
        storage.classes.learn(JSON.parse(await readFile(storage.blobFile(digest), 'utf8')));
    }
    return storage;
  }

  /** Names of all repositories, sorted. */
  repositories(): readonly string[] {
    return [...this.#repositories.keys()].sort();
  }

  /** Tags of a repository, sorted; NAME_UNKNOWN. */
  tags(repository: string): readonly string[] {
    return [...this.#known(repository).tags.keys()].sort();
  }

  /** File of a blob, whether it exists or not. */
  blobFile(digest: string): string {
    return path.join(this.#directory, 'blobs', digest.replace(':', '/'));
  }

  /** Whether a repository has a blob. */
  hasBlob(repository: string, digest: string): boolean {
    return this.#repositories.get(repository)?.blobs.has(digest) === true;
  }

  /** Gives a repository a blob that another has; false when that does not have it. */
  async mount(repository: string, digest: string, from: string): Promise<boolean> {
    if (!this.hasBlob(from, digest)) return false;
    this.#made(repository).blobs.add(digest);
    await this.#save(repository);
    return true;
  }

  /** Digest, media type and bytes of a manifest; MANIFEST_UNKNOWN. */
  async manifest(
    repository: string,
    reference: string,
  ): Promise<{ digest: string; mediaType: string; bytes: Buffer }> {
    const found = this.#repositories.get(repository);
    const digest = reference.startsWith('sha256:') ? reference : found?.tags.get(reference);
    const mediaType = digest === undefined ? undefined : found?.manifests.get(digest);
    if (digest === undefined || mediaType === undefined)
      throw new RegistryApiError('MANIFEST_UNKNOWN', `${repository} has no manifest ${reference}`);
    return { digest, mediaType, bytes: await readFile(this.blobFile(digest)) };
  }

  /** Stores a manifest whose blobs the repository has; returns its digest and its subject's. */
  async putManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
  ): Promise<{ digest: string; subject: string | undefined }> {
    const digest = sha256Digest(bytes);
    if (reference.startsWith('sha256:') && reference !== digest)
      throw new RegistryApiError('DIGEST_INVALID', 'the manifest has another digest');
    const json = jsonOf(bytes);
    const manifest = anyManifest.safeParse(json).data;
    if (manifest === undefined) throw new RegistryApiError('MANIFEST_INVALID', 'the manifest is malformed');
    const missing = [
      ...(manifest.layers ?? []),
      ...(manifest.config === undefined ? [] : [manifest.config]),
    ].find((blob) => !this.hasBlob(repository, blob.digest) && !isForeign(blob.mediaType));
    if (missing !== undefined)
      throw new RegistryApiError('MANIFEST_BLOB_UNKNOWN', `${repository} has no blob ${missing.digest}`);
    const partial = path.join(this.#directory, 'uploads', randomUUID());
    await writeFile(partial, bytes);
    await rename(partial, this.blobFile(digest));
    const home = this.#made(repository);
    home.manifests.set(digest, mediaType);
    if (!reference.startsWith('sha256:')) home.tags.set(reference, digest);
    this.classes.learn(json);
    await this.#save(repository);
    return { digest, subject: manifest.subject?.digest };
  }

  /** Removes a tag, or a manifest with all its tags. */
  async deleteManifest(repository: string, reference: string): Promise<void> {
    const home = this.#known(repository);
    const isDigest = reference.startsWith('sha256:');
    if (!(isDigest ? home.manifests.delete(reference) : home.tags.delete(reference)))
      throw new RegistryApiError('MANIFEST_UNKNOWN', `${repository} has no manifest ${reference}`);
    if (isDigest) for (const [tag, digest] of home.tags) if (digest === reference) home.tags.delete(tag);
    await this.#save(repository);
  }

  /** Takes a blob from a repository; its file goes when no other repository has it. */
  async deleteBlob(repository: string, digest: string): Promise<void> {
    if (!this.#known(repository).blobs.delete(digest))
      throw new RegistryApiError('BLOB_UNKNOWN', `${repository} has no blob ${digest}`);
    await this.#save(repository);
    const isUsed = [...this.#repositories.values()].some(
      (other) => other.blobs.has(digest) || other.manifests.has(digest),
    );
    if (!isUsed) await rm(this.blobFile(digest), { force: true });
  }

  /** Index of the manifests whose subject is `digest`. */
  async referrers(repository: string, digest: string, artifactType?: string): Promise<ImageIndex> {
    const manifests: ImageIndex['manifests'] = [];
    for (const [candidate, mediaType] of this.#repositories.get(repository)?.manifests ?? []) {
      const bytes = await readFile(this.blobFile(candidate));
      const manifest = anyManifest.safeParse(jsonOf(bytes)).data;
      if (manifest?.subject?.digest !== digest) continue;
      const type = manifest.artifactType ?? manifest.config?.mediaType;
      if (artifactType !== undefined && type !== artifactType) continue;
      manifests.push({
        mediaType,
        digest: candidate,
        size: bytes.length,
        ...(type === undefined ? {} : { artifactType: type }),
        ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
      });
    }
    return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
  }

  /** Starts an upload. */
  async startUpload(): Promise<string> {
    const session = randomUUID();
    await writeFile(this.#uploadFile(session), '');
    this.#uploads.set(session, 0);
    return session;
  }

  /** Bytes that an upload has so far; BLOB_UPLOAD_UNKNOWN. */
  uploadedBytes(session: string): number {
    const sizeBytes = this.#uploads.get(session);
    if (sizeBytes === undefined) throw new RegistryApiError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
    return sizeBytes;
  }

  /** Appends to an upload; when the content breaks off, the upload is as before. Returns its new size. */
  async append(session: string, content: AsyncIterable<Uint8Array>): Promise<number> {
    const before = this.uploadedBytes(session);
    const file = this.#uploadFile(session);
    try {
      await pipeline(content, createWriteStream(file, { flags: 'a', highWaterMark: 1 << 20 }));
    } catch (error) {
      await truncate(file, before);
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
        throw new HarnessError('DISK_FULL', `the disk is full: ${this.#directory} could not take a blob`, {
          cause: error,
        });
      throw error;
    }
    const { size } = await stat(file);
    this.#uploads.set(session, size);
    return size;
  }

  /** Makes a finished upload a blob of the repository; DIGEST_INVALID when its bytes are others. */
  async finishUpload(repository: string, session: string, digest: string): Promise<void> {
    const size = this.uploadedBytes(session);
    const file = this.#uploadFile(session);
    const handle = await open(file);
    try {
      for await (const _piece of verifiedBlob(piecesOf(handle), { digest, size }, 'the upload'));
    } catch (error) {
      await this.cancelUpload(session);
      throw new RegistryApiError('DIGEST_INVALID', error instanceof Error ? error.message : 'wrong digest');
    } finally {
      await handle.close();
    }
    await rename(file, this.blobFile(digest));
    this.#uploads.delete(session);
    this.#made(repository).blobs.add(digest);
    await this.#save(repository);
  }

  /** Throws an upload away. */
  async cancelUpload(session: string): Promise<void> {
    this.#uploads.delete(session);
    await rm(this.#uploadFile(session), { force: true });
  }

  /** Writes images into a repository without HTTP, and so without being counted. */
  sink(repository: string, tag: string): ImageSink {
    return {
      hasBlob: (digest) => Promise.resolve(this.hasBlob(repository, digest)),
      writeBlob: async (blob, content) => {
        const session = await this.startUpload();
        await this.append(session, verifiedBlob(content, blob, `blob ${blob.digest}`));
        await this.finishUpload(repository, session, blob.digest);
      },
      writeManifest: (bytes, mediaType) => this.putManifest(repository, tag, bytes, mediaType),
    };
  }

  #uploadFile(session: string): string {
    return path.join(this.#directory, 'uploads', session);
  }

  #known(repository: string): Repository {
    const found = this.#repositories.get(repository);
    if (found === undefined)
      throw new RegistryApiError('NAME_UNKNOWN', `there is no repository ${repository}`);
    return found;
  }

  #made(repository: string): Repository {
    const found = this.#repositories.get(repository);
    if (found !== undefined) return found;
    const made: Repository = { blobs: new Set(), tags: new Map(), manifests: new Map() };
    this.#repositories.set(repository, made);
    return made;
  }

  /** One write at a time, so that the newest state is the last on the disk. */
  #save(repository: string): Promise<void> {
    const write = async (): Promise<void> => {
      const { blobs, tags, manifests } = this.#known(repository);
      const file = path.join(this.#directory, 'repositories', `${encodeURIComponent(repository)}.json`);
      const saved = {
        blobs: [...blobs],
        tags: Object.fromEntries(tags),
        manifests: Object.fromEntries(manifests),
      };
      await writeFile(`${file}.partial`, JSON.stringify(saved));
      await rename(`${file}.partial`, file);
    };
    const done = this.#saving.then(write);
    this.#saving = done.catch(() => undefined);
    return done;
  }
}

const isForeign = (mediaType: string): boolean => /foreign|nondistributable/u.test(mediaType);

async function* piecesOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    yield Buffer.from(buffer.subarray(0, bytesRead));
  }
}

const jsonOf = (bytes: Uint8Array): unknown => {
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return json;
  } catch {
    return undefined;
  }
};
