import type { Bootstrap } from '../../image/rafs/bootstrap.ts';
import type { ChunkRef } from '../../image/rafs/chunk-table.ts';
import type { BlobReader } from './blob-reader.ts';

/** What a mount fetches ahead of the reads (nydusd's `fs_prefetch`; a list is its `--prefetch-files`). */
export type NodePrefetch =
  | { readonly kind: 'off' }
  | { readonly kind: 'all' }
  | { readonly kind: 'list'; readonly paths: readonly string[] };

/** nydusd's `threads_count`. */
const workers = 8;

/**
 * Fetches ahead of the reads with eight workers, in requests of about 1 MiB: every chunk of the image, or those of
 * the listed files (of a directory, of every file below it) in the order of the list. Failed requests are not
 * repeated and end nothing: the read that needs the bytes will ask again. Never rejects.
 */
export async function prefetch(
  bootstrap: Bootstrap,
  readers: readonly BlobReader[],
  what: NodePrefetch,
  signal: AbortSignal,
): Promise<void> {
  const tasks = plan(bootstrap, readers, what);
  const work = async (): Promise<void> => {
    for (const task of tasks) {
      if (signal.aborted) return;
      await task().catch(() => undefined);
    }
  };
  // All workers draw from one iterator.
  await Promise.all(Array.from({ length: workers }, work));
}

function* plan(
  bootstrap: Bootstrap,
  readers: readonly BlobReader[],
  what: NodePrefetch,
): Generator<() => Promise<void>> {
  switch (what.kind) {
    case 'off':
      return;
    case 'all':
      for (const reader of readers) yield* requests(reader, reader.chunks);
      return;
    case 'list':
      for (const run of runs(what.paths.flatMap((path) => chunksAt(bootstrap, path)))) {
        const reader = readers[run[0]?.blobIndex ?? -1];
        if (reader !== undefined) yield* requests(reader, run);
      }
      return;
  }
}

function* requests(reader: BlobReader, chunks: readonly ChunkRef[]): Generator<() => Promise<void>> {
  for (const planned of reader.planPrefetch(chunks)) yield () => reader.prefetch(planned);
}

/** Cuts chunks into runs that follow one another in one blob, each chunk once; files of the list may share a run. */
function runs(chunks: readonly ChunkRef[]): ChunkRef[][] {
  const seen = new Set<string>();
  const found: ChunkRef[][] = [];
  for (const chunk of chunks) {
    const key = `${String(chunk.blobIndex)}/${String(chunk.chunkId)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const run = found.at(-1);
    const previous = run?.at(-1);
    if (previous?.blobIndex === chunk.blobIndex && previous.chunkId + 1 === chunk.chunkId) run?.push(chunk);
    else found.push([chunk]);
  }
  return found;
}

/** Chunks of a file, or of all files below a directory; none when the image has nothing there. */
function chunksAt(bootstrap: Bootstrap, path: string): ChunkRef[] {
  const found = bootstrap.lookup(path);
  if (found === undefined) return [];
  if (found.kind !== 'directory') return bootstrap.chunksOf(found);
  const chunks: ChunkRef[] = [];
  // The walk names directories by where they are, the list perhaps by a symlink: the inode tells which is meant.
  let below: string | undefined;
  for (const { path: walked, inode } of bootstrap.walk()) {
    if (inode.nid === found.nid) below = walked === '/' ? '/' : `${walked}/`;
    else if (below !== undefined && walked.startsWith(below)) chunks.push(...bootstrap.chunksOf(inode));
  }
  return chunks;
}
