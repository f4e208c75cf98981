import { mkdir, rm } from 'node:fs/promises';
import { HarnessError } from '../../errors/harness-error.ts';
import type { LayerEntry } from '../layer-entry.ts';
import { BlobWriter, type WriterCompressor, type WrittenBlob } from './blob-writer.ts';
import { usedChunks, writeBootstrap } from './bootstrap-writer.ts';
import { FileTree, type NodeAttributes, type TreeNode } from './file-tree.ts';
import { defaultChunkSizeBytes, maxChunkSizeBytes, minChunkSizeBytes } from './layout.ts';
import { ChunkDictionary, type StoredChunk } from './stored-chunk.ts';
import { isStorableXattr } from './xattr.ts';

/** How layers become a Nydus image. */
export interface ConvertLayersOptions {
  /** Where the data blobs go; made if missing. The caller removes it. */
  readonly workDirectory: string;
  /** Power of two, 4 KiB to 16 MiB; default 1 MiB, as nydus-image. */
  readonly chunkSizeBytes?: number;
  /** Default zstd (level 3). */
  readonly compressor?: WriterCompressor;
  /** Paths in the image that nydusd shall fetch first; `/` means everything. Default: none. */
  readonly prefetch?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called after each layer. */
  readonly onLayer?: (progress: { readonly layerIndex: number; readonly fileSizeBytes: number }) => void;
}

/** A data blob of the result; its file lies in the work directory. */
export interface ConvertedBlob {
  /** Hex sha256 of the file, without algorithm. */
  readonly id: string;
  readonly file: string;
  readonly sizeBytes: number;
  /** Which layer it holds the new chunks of. */
  readonly layerIndex: number;
  readonly chunkCount: number;
}

/** A Nydus image, not yet packed into OCI layers. */
export interface ConvertedLayers {
  readonly bootstrap: Buffer;
  /** Blobs in layer order. Layers whose content all is elsewhere, or hidden by later layers, have none. */
  readonly blobs: readonly ConvertedBlob[];
  /** Paths of the prefetch list that the image does not have: left out, for lists outlive images. */
  readonly missingPrefetchPaths: readonly string[];
  /** Extended attributes in namespaces that Linux has not (and so no container would see), left out. */
  readonly droppedXattrs: readonly string[];
}

/**
 * Merges layers by the OCI rules and writes a RAFS v6 image: one data blob per layer, holding each chunk that no
 * earlier blob has, and one bootstrap over all. Only one chunk per core and the metadata are held in memory,
 * however large the files. Deterministic: the same layers and options give the same bytes.
 *
 * Throws IMAGE_CORRUPT (hard link to nothing, file below a file, content shorter than announced),
 * IMAGE_UNSUPPORTED (what RAFS or Linux cannot hold), LAYER_UNSAFE, and the signal's reason. Then no blob is left.
 */
export async function convertLayers(
  layers: Iterable<AsyncIterable<LayerEntry>> | AsyncIterable<AsyncIterable<LayerEntry>>,
  options: ConvertLayersOptions,
): Promise<ConvertedLayers> {
  const chunkSizeBytes = options.chunkSizeBytes ?? defaultChunkSizeBytes;
  requireChunkSize(chunkSizeBytes);
  await mkdir(options.workDirectory, { recursive: true });
  const conversion = new Conversion(options, chunkSizeBytes);
  try {
    for await (const layer of layers) await conversion.addLayer(layer);
    return await conversion.finish();
  } catch (error) {
    await conversion.removeBlobs();
    throw error;
  }
}

function requireChunkSize(chunkSizeBytes: number): void {
  const isPowerOfTwo = Number.isInteger(Math.log2(chunkSizeBytes));
  if (!isPowerOfTwo || chunkSizeBytes < minChunkSizeBytes || chunkSizeBytes > maxChunkSizeBytes)
    throw new HarnessError(
      'USAGE',
      `chunk size ${String(chunkSizeBytes)}: not a power of two from 4KiB to 16MiB`,
    );
}

class Conversion {
  readonly #options: ConvertLayersOptions;
  readonly #chunkSizeBytes: number;
  readonly #compressor: WriterCompressor;
  readonly #tree = new FileTree();
  readonly #dictionary = new ChunkDictionary();
  readonly #blobs: WrittenBlob[] = [];
  readonly #droppedXattrs = new Set<string>();
  #layerCount = 0;

  constructor(options: ConvertLayersOptions, chunkSizeBytes: number) {
    this.#options = options;
    this.#chunkSizeBytes = chunkSizeBytes;
    this.#compressor = options.compressor ?? 'zstd';
  }

  async addLayer(entries: AsyncIterable<LayerEntry>): Promise<void> {
    const layerIndex = this.#layerCount;
    this.#layerCount += 1;
    await using writer = await BlobWriter.create({
      key: layerIndex,
      workDirectory: this.#options.workDirectory,
      chunkSizeBytes: this.#chunkSizeBytes,
      compressor: this.#compressor,
      dictionary: this.#dictionary,
    });
    let fileSizeBytes = 0;
    for await (const entry of entries) {
      this.#options.signal?.throwIfAborted();
      await this.#addEntry(entry, layerIndex, writer);
      if (entry.kind === 'file') fileSizeBytes += entry.sizeBytes;
    }
    const blob = await writer.finish();
    if (blob !== undefined) this.#blobs.push(blob);
    this.#options.onLayer?.({ layerIndex, fileSizeBytes });
  }

  async finish(): Promise<ConvertedLayers> {
    const used = new Set(usedChunks(this.#tree, this.#chunkSizeBytes).map(({ chunk }) => chunk.blobKey));
    const blobs = this.#blobs.filter(({ key }) => used.has(key));
    for (const blob of this.#blobs) if (!used.has(blob.key)) await rm(blob.file);
    const { nodes, missing } = this.#prefetchNodes();
    return {
      bootstrap: writeBootstrap({
        tree: this.#tree,
        blobs: new Map(blobs.map(({ key, entry }) => [key, entry])),
        chunkSizeBytes: this.#chunkSizeBytes,
        compressor: this.#compressor,
        prefetch: nodes,
      }),
      blobs: blobs.map(({ key, entry, file, sizeBytes }) => ({
        id: entry.id,
        file,
        sizeBytes,
        layerIndex: key,
        chunkCount: entry.chunkCount,
      })),
      missingPrefetchPaths: missing,
      droppedXattrs: [...this.#droppedXattrs].sort(),
    };
  }

  async removeBlobs(): Promise<void> {
    for (const { file } of this.#blobs) await rm(file, { force: true });
  }

  async #addEntry(entry: LayerEntry, layerIndex: number, writer: BlobWriter): Promise<void> {
    switch (entry.kind) {
      case 'whiteout':
        this.#tree.remove(entry.path, layerIndex);
        return;
      case 'opaque':
        this.#tree.removeChildren(entry.path, layerIndex);
        return;
      case 'hardlink':
        this.#tree.link(entry.path, entry.target, layerIndex);
        return;
      case 'file': {
        const chunks = await this.#store(entry, writer);
        this.#tree.place(entry.path, layerIndex, this.#attributes(entry), {
          kind: 'file',
          sizeBytes: entry.sizeBytes,
          chunks,
        });
        return;
      }
      case 'directory':
        this.#tree.place(entry.path, layerIndex, this.#attributes(entry), {
          kind: 'directory',
          children: new Map(),
        });
        return;
      case 'symlink':
      case 'character':
      case 'block':
      case 'fifo':
        this.#tree.place(entry.path, layerIndex, this.#attributes(entry), bodyOf(entry));
        return;
    }
  }

  #attributes({ mode, uid, gid, mtimeS, mtimeNs, xattrs }: NodeAttributes): NodeAttributes {
    if (xattrs.size === 0) return { mode, uid, gid, mtimeS, mtimeNs, xattrs };
    for (const name of xattrs.keys()) if (!isStorableXattr(name)) this.#droppedXattrs.add(name);
    const storable = new Map([...xattrs].filter(([name]) => isStorableXattr(name)));
    return { mode, uid, gid, mtimeS, mtimeNs, xattrs: storable };
  }

  async #store(entry: Extract<LayerEntry, { kind: 'file' }>, writer: BlobWriter): Promise<StoredChunk[]> {
    const chunks: StoredChunk[] = [];
    for await (const raw of cut(entry, this.#chunkSizeBytes)) {
      this.#options.signal?.throwIfAborted();
      chunks.push(await writer.add(raw));
    }
    return chunks;
  }

  #prefetchNodes(): { nodes: TreeNode[]; missing: string[] } {
    const nodes = new Set<TreeNode>();
    const missing: string[] = [];
    for (const path of this.#options.prefetch ?? []) {
      const node = this.#tree.find(path);
      if (node === undefined) missing.push(path);
      else if (node.body.kind === 'directory' || (node.body.kind === 'file' && node.body.sizeBytes > 0))
        nodes.add(node);
    }
    return { nodes: [...nodes], missing };
  }
}

/** Just the body: an entry carries its metadata too. */
function bodyOf(
  entry: Extract<LayerEntry, { kind: 'symlink' | 'character' | 'block' | 'fifo' }>,
): TreeNode['body'] {
  switch (entry.kind) {
    case 'symlink':
      return { kind: 'symlink', target: entry.target };
    case 'fifo':
      return { kind: 'fifo' };
    case 'character':
    case 'block':
      return { kind: entry.kind, major: entry.major, minor: entry.minor };
  }
}

/** Cuts a file's content into pieces of exactly `chunkSizeBytes` (the last one shorter), each a copy of its own. */
async function* cut(
  { content, sizeBytes, path }: Extract<LayerEntry, { kind: 'file' }>,
  chunkSizeBytes: number,
): AsyncGenerator<Uint8Array> {
  const wrongSize = (): HarnessError =>
    new HarnessError(
      'IMAGE_CORRUPT',
      `'${path}' is not ${String(sizeBytes)} bytes long, as its layer announces`,
    );
  let remaining = sizeBytes;
  let piece = new Uint8Array(Math.min(chunkSizeBytes, remaining));
  let filled = 0;
  for await (const bytes of content) {
    let taken = 0;
    while (taken < bytes.length) {
      if (filled === piece.length) throw wrongSize();
      const part = bytes.subarray(taken, taken + piece.length - filled);
      piece.set(part, filled);
      taken += part.length;
      filled += part.length;
      if (filled < piece.length) continue;
      remaining -= filled;
      yield piece;
      piece = new Uint8Array(Math.min(chunkSizeBytes, remaining));
      filled = 0;
    }
  }
  if (remaining > 0) throw wrongSize();
}
