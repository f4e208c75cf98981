import type { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import type { ResolvedImage } from './image-source.ts';
import { imageConfig, imageIndex, imageManifest, mediaTypes, type Descriptor } from './manifest.ts';
import { selectManifest, type ImageFlavour, type Platform } from './select-manifest.ts';
import { sha256Digest } from './verified-blob.ts';

/** Manifests and configs larger than this are refused (distribution's own limit for manifests). */
export const maxManifestBytes = 4 * 1024 * 1024;

/** A manifest as it was found, its bytes untouched. */
export interface FoundManifest {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** How {@link resolveImage} gets at what it needs. */
export interface ResolveImageInput {
  /** Name for messages. */
  readonly name: string;
  readonly platform: Platform;
  readonly flavour: ImageFlavour;
  readonly first: FoundManifest;
  readManifest(descriptor: Descriptor): Promise<Uint8Array>;
  readConfig(descriptor: Descriptor): Promise<Uint8Array>;
}

/** Indexes in indexes are followed this far. */
const maxDepth = 4;

/** Follows an index to the image of the platform and parses manifest and config; their digests are checked. */
export async function resolveImage(input: ResolveImageInput): Promise<ResolvedImage> {
  let found = input.first;
  for (let depth = 0; depth < maxDepth; depth += 1) {
    checkDigest(found.bytes, found.digest, `the manifest of ${input.name}`);
    const json = parseJson(found.bytes, `the manifest of ${input.name}`);
    if (isIndex(json)) {
      const index = parsed(imageIndex, json, `the index of ${input.name}`);
      const chosen = selectManifest(index, input.platform, input.flavour, input.name);
      found = { digest: chosen.digest, bytes: await input.readManifest(chosen) };
      continue;
    }
    const manifest = parsed(imageManifest, json, `the manifest of ${input.name}`);
    const configBytes = await input.readConfig(manifest.config);
    checkDigest(configBytes, manifest.config.digest, `the config of ${input.name}`);
    const configJson = parseJson(configBytes, `the config of ${input.name}`);
    const config = parsed(imageConfig, configJson, `the config of ${input.name}`);
    return { digest: found.digest, manifest, manifestBytes: found.bytes, config, configBytes };
  }
  throw new HarnessError('IMAGE_UNSUPPORTED', `${input.name} is an index in an index in an index`);
}

const isIndex = (json: unknown): boolean => {
  if (typeof json !== 'object' || json === null) return false;
  const type = 'mediaType' in json ? json.mediaType : undefined;
  return type === mediaTypes.ociIndex || type === mediaTypes.dockerManifestList || 'manifests' in json;
};

/** JSON of an image document; IMAGE_CORRUPT when it is none. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return json;
  } catch (error) {
    throw new HarnessError('IMAGE_CORRUPT', `${what} is not JSON`, { cause: error });
  }
}

/** A document parsed by its schema; IMAGE_UNSUPPORTED with the first thing that is wrong. */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  what: string,
): z.infer<Schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? '' : `: ${issue.path.map(String).join('.')}: ${issue.message}`;
  throw new HarnessError('IMAGE_UNSUPPORTED', `${what} is not what OCI or Docker define${where}`);
}

const checkDigest = (bytes: Uint8Array, expected: string, what: string): void => {
  const digest = sha256Digest(bytes);
  if (digest !== expected)
    throw new HarnessError('DIGEST_MISMATCH', `${what} should have the digest ${expected} but has ${digest}`);
};
