import type { Descriptor, ImageManifest, ImageConfig } from './manifest.ts';

/** Inclusive byte range of a blob. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** One image for one platform, with its manifest and config parsed and their digests checked. */
export interface ResolvedImage {
  /** Digest of the manifest itself. */
  readonly digest: string;
  readonly manifest: ImageManifest;
  /** The manifest's bytes, as the digest covers them. */
  readonly manifestBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
}

/** A place an image can be read from: a registry, an OCI layout directory, an archive. */
export interface ImageSource extends AsyncDisposable {
  /** The reference as the user wrote it. */
  readonly reference: string;
  /** Finds the image for `platform` (default linux/amd64), following an index. */
  resolve(signal?: AbortSignal): Promise<ResolvedImage>;
  /**
   * Streams a blob, or a range of it. A whole blob is verified against its digest: the stream ends with
   * DIGEST_MISMATCH otherwise.
   */
  readBlob(
    descriptor: Descriptor,
    options?: { range?: ByteRange; signal?: AbortSignal },
  ): AsyncIterable<Uint8Array>;
}

/** A place an image can be written to: a registry repository or an OCI layout directory. */
export interface ImageSink {
  hasBlob(digest: string): Promise<boolean>;
  writeBlob(descriptor: Descriptor, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
  /** Writes the manifest under the sink's tag; last, so that a tag never names a half-written image. */
  writeManifest(
    manifestBytes: Uint8Array,
    mediaType: string,
    signal?: AbortSignal,
  ): Promise<{ digest: string }>;
}
