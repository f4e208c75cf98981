import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { mediaTypes, type Descriptor } from '../../src/image/manifest.ts';
import { sha256Digest } from '../../src/image/verified-blob.ts';
import type { ImageSink } from '../../src/image/image-source.ts';

/** One tar member: its header, and its content when it has one. */
export type TarMember = Partial<Header> & { name: string } & { content?: string | Buffer };

/** A tar of the members, written by tar-stream. */
export async function tarOf(members: readonly TarMember[]): Promise<Buffer> {
  const packer = pack();
  for (const { content, ...header } of members)
    packer.entry({ mtime: new Date(1_700_000_000_000), ...header }, content ?? '');
  packer.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of packer) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

/** One piece, as a stream. */
export async function* streamOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield* pieces;
}

/** Bytes that look random and are always the same, so that compression does not shrink the image. */
export function noise(seed: string, sizeBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < sizeBytes; at += 32)
    parts.push(
      createHash('sha256')
        .update(`${seed} ${String(at)}`)
        .digest(),
    );
  return Buffer.concat(parts).subarray(0, sizeBytes);
}

/** Writes an image of three layers (several megabytes) into a sink; the second is zstd unless told otherwise. */
export async function writeSampleImage(
  sink: ImageSink,
  options: { withZstd: boolean } = { withZstd: true },
): Promise<{ digest: string; layers: Descriptor[] }> {
  const tars = await Promise.all([
    tarOf([
      { name: 'etc/', type: 'directory' },
      { name: 'etc/hello', content: 'hello' },
      { name: 'data/first', content: noise('first', 2_500_000) },
    ]),
    tarOf([{ name: 'data/second', content: noise('second', 1_500_000) }]),
    tarOf([{ name: 'data/.wh.first' }, { name: 'etc/hello', content: 'hello again' }]),
  ]);
  const blobs = tars.map((tar, index) =>
    index === 1 && options.withZstd
      ? { mediaType: mediaTypes.ociLayerZstd, bytes: zstdCompressSync(tar) }
      : { mediaType: mediaTypes.ociLayerGzip, bytes: gzipSync(tar) },
  );
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/etc/hello'] },
      rootfs: { type: 'layers', diff_ids: tars.map(sha256Digest) },
    }),
  );
  const put = async (mediaType: string, bytes: Buffer): Promise<Descriptor> => {
    const descriptor = { mediaType, digest: sha256Digest(bytes), size: bytes.length };
    await sink.writeBlob(descriptor, streamOf(bytes));
    return descriptor;
  };
  const configDescriptor = await put(mediaTypes.ociConfig, config);
  const layers: Descriptor[] = [];
  for (const { mediaType, bytes } of blobs) layers.push(await put(mediaType, bytes));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: configDescriptor, layers };
  const { digest } = await sink.writeManifest(Buffer.from(JSON.stringify(manifest)), mediaTypes.ociManifest);
  return { digest, layers };
}
