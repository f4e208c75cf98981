import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { HarnessError } from '../errors/harness-error.ts';
import { imageIndex, imageManifest } from '../image/manifest.ts';
import { appLayers } from './quickstart/app-layers.ts';
import { baseLayer } from './quickstart/base-layer.ts';
import type { LayerDraft } from './quickstart/layer-item.ts';
import { nodeLayer } from './quickstart/node-layer.ts';
import { writeImage } from './quickstart/write-image.ts';

/** How far the packing is, in bytes of the layers before compression. */
export interface QuickstartImageProgress {
  readonly packedBytes: number;
  readonly totalBytes: number;
}

/** Where the image goes, and how to follow and stop its building. */
export interface QuickstartImageOptions {
  /** Folder that keeps built images; by default `$XDG_CACHE_HOME/lazybench` (`~/.cache/lazybench`). */
  readonly directory?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: QuickstartImageProgress) => void;
}

/** The quickstart's image on this machine's disk. */
export interface QuickstartImage {
  /** OCI layout directory with one image, tagged `latest`: `oci:<layoutPath>` names it. */
  readonly layoutPath: string;
  readonly manifestDigest: string;
  /** Sum of the compressed layers. */
  readonly compressedBytes: number;
  readonly layerCount: number;
  /** It was there already. */
  readonly isFromCache: boolean;
  /** What is not as on Linux, for the reader of the report. */
  readonly notes: readonly string[];
}

/** Raised whenever the same inputs make different layers. */
const builderVersion = 1;
const dayMs = 86_400_000;

const defaultDirectory = (): string => {
  const configured = process.env['XDG_CACHE_HOME'];
  const cache =
    configured !== undefined && path.isAbsolute(configured) ? configured : path.join(homedir(), '.cache');
  return path.join(cache, 'lazybench');
};

/** Names a set of inputs: paths with sizes and times, without reading the files. */
function cacheKey(drafts: readonly LayerDraft[]): string {
  const lines = drafts.flatMap((draft) =>
    draft.items.map((item) => `${draft.name} ${draft.createdBy} ${JSON.stringify(item)}`),
  );
  return createHash('sha256')
    .update([builderVersion, process.arch, ...lines.sort()].join('\n'))
    .digest('hex')
    .slice(0, 16);
}

type LayoutFacts = Pick<QuickstartImage, 'manifestDigest' | 'compressedBytes' | 'layerCount'>;

/** Facts of a complete layout; undefined when it is not there, or not whole. */
async function readLayout(layout: string): Promise<LayoutFacts | undefined> {
  try {
    const blob = (digest: string): string => path.join(layout, 'blobs', digest.replace(':', '/'));
    const index = imageIndex.parse(JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8')));
    const manifestDigest = index.manifests[0]?.digest ?? '';
    const manifest = imageManifest.parse(JSON.parse(await readFile(blob(manifestDigest), 'utf8')));
    const sizes = manifest.layers.map(async ({ digest, size }) => (await stat(blob(digest))).size === size);
    if ((await Promise.all(sizes)).includes(false)) return undefined;
    const compressedBytes = manifest.layers.reduce((sum, { size }) => sum + size, 0);
    return { manifestDigest, compressedBytes, layerCount: manifest.layers.length };
  } catch {
    return undefined; // Absent or damaged either way: it is built again.
  }
}

/** Removes images of other inputs, and leftovers of interrupted builds, that nothing has written to for a day. */
async function forgetOld(directory: string, keep: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const entry = path.join(directory, name);
    if (!name.startsWith('quickstart-') || entry === keep) continue;
    if (Date.now() - (await stat(entry)).mtimeMs > dayMs) await rm(entry, { recursive: true, force: true });
  }
}

const asHarnessError = (error: unknown, directory: string): unknown => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const message = `cannot build the quickstart's image in ${directory}`;
  if (code === 'ENOSPC')
    return new HarnessError('DISK_FULL', `${message}: the disk is full`, { cause: error });
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EPERM')
    return new HarnessError('OUTPUT_UNWRITABLE', `${message}: ${code}`, {
      hint: 'Point XDG_CACHE_HOME at a folder you may write to.',
      cause: error,
    });
  return error;
};

/**
 * Builds the quickstart's image from real files of this machine: the shared libraries that the running Node uses,
 * Node itself, lazybench's installed dependencies, and a small server with a clean-up layer of whiteouts. Equal inputs
 * give equal digests; an image built before is used again.
 *
 * @throws HarnessError DISK_FULL or OUTPUT_UNWRITABLE; the signal's reason when it aborts. Nothing half-built stays.
 */
export async function buildQuickstartImage(options: QuickstartImageOptions = {}): Promise<QuickstartImage> {
  const { signal, onProgress } = options;
  const directory = path.resolve(options.directory ?? defaultDirectory());
  signal?.throwIfAborted();
  const [base, node, app] = await Promise.all([baseLayer(), nodeLayer(), appLayers()]);
  const notes =
    base.items.length > 0
      ? []
      : [
          `no base layer: ${process.platform} keeps its system libraries outside of files that Linux could use`,
        ];
  const drafts = [base, node, ...app].filter(({ items }) => items.length > 0);
  const layoutPath = path.join(directory, `quickstart-${cacheKey(drafts)}`);
  const cached = await readLayout(layoutPath);
  if (cached !== undefined) return { layoutPath, ...cached, isFromCache: true, notes };

  const totalBytes = drafts
    .flatMap(({ items }) => items)
    .reduce((sum, item) => sum + (item.kind === 'file' ? item.sizeBytes : 0), 0);
  let packedBytes = 0;
  let building: string | undefined;
  try {
    await mkdir(directory, { recursive: true });
    building = await mkdtemp(path.join(directory, 'quickstart-building-'));
    await writeImage(
      building,
      drafts,
      (count) => {
        packedBytes += count;
        // Tar headers come on top of the files' bytes.
        onProgress?.({ packedBytes: Math.min(packedBytes, totalBytes), totalBytes });
      },
      signal,
    );
    // A damaged one is replaced; one that another process has finished meanwhile is as good as ours.
    if ((await readLayout(layoutPath)) === undefined) {
      await rm(layoutPath, { recursive: true, force: true });
      await rename(building, layoutPath);
    }
    const built = await readLayout(layoutPath);
    if (built === undefined) throw new Error(`${layoutPath} is not readable after it was built`);
    await forgetOld(directory, layoutPath);
    return { layoutPath, ...built, isFromCache: false, notes };
  } catch (error) {
    throw asHarnessError(error, directory);
  } finally {
    if (building !== undefined) await rm(building, { recursive: true, force: true });
  }
}
