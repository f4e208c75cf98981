import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import type { LayerItem } from './layer-item.ts';

/** A packed layer: both digests that OCI wants of it. */
export interface PackedLayer {
  /** Digest of the compressed blob. */
  readonly digest: string;
  /** Digest of the tar inside. */
  readonly diffId: string;
  readonly sizeBytes: number;
}

/** One time for everything, so that equal inputs give equal digests. */
export const layerTime = new Date('2026-01-01T00:00:00Z');

/** Speed over size: 4 is zlib's fastest level with its better match finder, and no slower than 1 on machine code. */
const gzipLevel = 4;
const largeFileBytes = 8 * 1024 * 1024;
const readAhead = 32;

const whiteoutName = (name: string): string =>
  path.posix.join(path.posix.dirname(name), `.wh.${path.posix.basename(name)}`);

/** In the order of a tar: parents before children, hard links after what they name. */
function ordered(items: readonly LayerItem[]): readonly (LayerItem | { kind: 'directory'; path: string })[] {
  const byPath = new Map(items.map((item) => [item.path, item]));
  const folders = new Set<string>();
  for (const name of byPath.keys())
    for (let folder = path.posix.dirname(name); folder !== '.'; folder = path.posix.dirname(folder))
      folders.add(folder);
  const directories = [...folders].map((name) => ({ kind: 'directory' as const, path: name }));
  return [...directories, ...byPath.values()].sort((a, b) => {
    if ((a.kind === 'hardlink') !== (b.kind === 'hardlink')) return a.kind === 'hardlink' ? 1 : -1;
    return a.path < b.path ? -1 : 1;
  });
}

type Entry = ReturnType<typeof ordered>[number];

type TarHeader = Parameters<Pack['entry']>[0];

function header(entry: Entry): TarHeader {
  const common = { mtime: layerTime, uid: 0, gid: 0, uname: 'root', gname: 'root' };
  switch (entry.kind) {
    case 'directory':
      return { ...common, name: `${entry.path}/`, type: 'directory', mode: 0o755 };
    case 'symlink':
      return { ...common, name: entry.path, type: 'symlink', linkname: entry.target, mode: 0o777 };
    case 'hardlink':
      return { ...common, name: entry.path, type: 'link', linkname: entry.target, mode: 0o644 };
    case 'whiteout':
      return { ...common, name: whiteoutName(entry.path), type: 'file', mode: 0o644, size: 0 };
    case 'file':
      return { ...common, name: entry.path, type: 'file', mode: entry.mode, size: entry.sizeBytes };
  }
}

const writeEntry = async (tar: Pack, entry: Entry, content: Buffer | undefined): Promise<void> => {
  const isFile = entry.kind === 'file';
  if (isFile && content === undefined && 'file' in entry.content) {
    const sink = tar.entry(header(entry)); // First: it throws when the tar has been given up.
    await pipeline(createReadStream(entry.content.file, { highWaterMark: 1024 * 1024 }), sink);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null): void => (error instanceof Error ? reject(error) : resolve());
    const hasBody = isFile || entry.kind === 'whiteout';
    if (hasBody) tar.entry(header(entry), content ?? Buffer.alloc(0), done);
    else tar.entry(header(entry), done);
  });
};

const contentOf = async (entry: Entry): Promise<Buffer | undefined> => {
  if (entry.kind !== 'file') return undefined;
  if ('text' in entry.content) return Buffer.from(entry.content.text);
  return entry.sizeBytes < largeFileBytes ? await readFile(entry.content.file) : undefined;
};

async function writeEntries(tar: Pack, items: readonly LayerItem[]): Promise<void> {
  const entries = ordered(items);
  for (let start = 0; start < entries.length; start += readAhead) {
    const batch = entries.slice(start, start + readAhead);
    const contents = await Promise.all(batch.map(contentOf));
    for (const [index, entry] of batch.entries()) await writeEntry(tar, entry, contents[index]);
  }
  tar.finalize();
}

/** Passes data through and calls `onChunk` with each piece. */
const tap = (onChunk: (chunk: Buffer) => void): Transform =>
  new Transform({
    transform: (chunk: Buffer, _encoding, callback) => {
      onChunk(chunk);
      callback(null, chunk);
    },
  });

/**
 * Writes a layer as tar+gzip to `file`. Compression runs on zlib's own threads, so layers packed at the same time use
 * several cores.
 *
 * @param onBytes - Called with the number of tar bytes just packed.
 */
export async function packLayer(
  items: readonly LayerItem[],
  file: string,
  onBytes: (count: number) => void,
  signal?: AbortSignal,
): Promise<PackedLayer> {
  signal?.throwIfAborted();
  const [inner, outer] = [createHash('sha256'), createHash('sha256')];
  let sizeBytes = 0;
  const tar = pack({ highWaterMark: 1024 * 1024 });
  const written = pipeline(
    tar,
    tap((chunk) => {
      inner.update(chunk);
      onBytes(chunk.length);
    }),
    createGzip({ level: gzipLevel, chunkSize: 256 * 1024 }),
    tap((chunk) => {
      outer.update(chunk);
      sizeBytes += chunk.length;
    }),
    createWriteStream(file),
    signal === undefined ? {} : { signal },
  );
  const filled = writeEntries(tar, items).catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  // Whichever fails first ends the other; both are awaited so that nothing outlives this call.
  const [packed, fed] = await Promise.allSettled([written, filled]);
  if (signal?.aborted === true) throw signal.reason;
  if (fed.status === 'rejected') throw fed.reason;
  if (packed.status === 'rejected') throw packed.reason;
  return { digest: `sha256:${outer.digest('hex')}`, diffId: `sha256:${inner.digest('hex')}`, sizeBytes };
}
