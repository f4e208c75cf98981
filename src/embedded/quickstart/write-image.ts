import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { mediaTypes, type Descriptor } from '../../image/manifest.ts';
import type { LayerDraft } from './layer-item.ts';
import { layerTime, packLayer } from './pack-layer.ts';

/** GOARCH names, as OCI wants them, of what Node calls its architecture. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386' };

/**
 * Writes an image of the drafted layers as an OCI layout (image-spec, image-layout.md) into the empty folder `layout`,
 * tagged `latest`.
 */
export async function writeImage(
  layout: string,
  drafts: readonly LayerDraft[],
  onBytes: (count: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const blobs = path.join(layout, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const blobPath = (digest: string): string => path.join(blobs, digest.replace('sha256:', ''));

  // A failure of one layer stops the others before their folder is taken away.
  const failure = new AbortController();
  const stop = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const outcomes = await Promise.allSettled(
    drafts.map(async ({ name, items }) => {
      const part = path.join(layout, `${name}.part`);
      try {
        const layer = await packLayer(items, part, onBytes, stop);
        await rename(part, blobPath(layer.digest));
        return layer;
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }),
  );
  signal?.throwIfAborted();
  failure.signal.throwIfAborted();
  const layers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));

  const writeJson = async (mediaType: string, value: unknown): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await writeFile(blobPath(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const config = await writeJson(mediaTypes.ociConfig, {
    created: layerTime.toISOString(),
    architecture: architectures[process.arch] ?? process.arch,
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: ['/usr/local/bin/node'],
      Cmd: ['/app/server.mjs'],
      WorkingDir: '/app',
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: drafts.map(({ createdBy }) => ({ created: layerTime.toISOString(), created_by: createdBy })),
  });
  const manifest = await writeJson(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: layers.map(({ digest, sizeBytes }) => ({
      mediaType: mediaTypes.ociLayerGzip,
      digest,
      size: sizeBytes,
    })),
  });
  await writeFile(path.join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const tagged = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'latest' } };
  await writeFile(
    path.join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [tagged] }),
  );
}
