import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  lchownSync,
  lutimesSync,
  writeSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { HarnessError } from '../errors/harness-error.ts';
import { LayerTarget } from './layer-target.ts';
import type { EntryMetadata, LayerEntry } from './layer-entry.ts';
import { runCommand } from './run-command.ts';

/** How a layer is put on the disk. */
export interface ApplyLayerOptions {
  readonly signal?: AbortSignal;
  /** Sets owners as the layer says; default: when the process is root. */
  readonly preserveOwners?: boolean;
}

/** What {@link applyLayer} did. */
export interface AppliedLayer {
  /** Entries of every kind, whiteouts included. */
  readonly entries: number;
  readonly files: number;
  /** Bytes of file contents written. */
  readonly writtenBytes: number;
  /** What could not be put on the disk, and why: device nodes without privileges. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Extended attributes that were not set: Node has no call for them. */
  readonly skippedXattrs: number;
}

type FileEntry = Extract<LayerEntry, { kind: 'file' }>;
type NodeEntry = Extract<LayerEntry, { kind: 'character' | 'block' | 'fifo' }>;

/** Other work in the process (the layers' downloads) waits at most about this long for one uninterrupted batch. */
const batchMs = 4;
const createFlags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;

/**
 * Unpacks a layer over what lower layers left in `rootDirectory`, with the semantics of containerd's archive.Apply:
 * whiteouts act on lower layers only, symbolic links are never followed out of the root, times of directories are
 * set last. Synchronous calls in batches of {@link batchMs}: with few system calls a file, a hop through the
 * thread pool would cost more than the call. Errors: DISK_FULL, IMAGE_CORRUPT, LAYER_UNSAFE, and those of `entries`.
 */
export async function applyLayer(
  entries: AsyncIterable<LayerEntry>,
  rootDirectory: string,
  options: ApplyLayerOptions = {},
): Promise<AppliedLayer> {
  mkdirSync(rootDirectory, { recursive: true });
  const preserveOwners = options.preserveOwners ?? process.getuid?.() === 0;
  const target = new LayerTarget(rootDirectory);
  const tally = { entries: 0, files: 0, writtenBytes: 0, skippedXattrs: 0 };
  const skipped: { path: string; reason: string }[] = [];
  let batchStart = performance.now();
  try {
    for await (const entry of entries) {
      tally.entries += 1;
      if ('xattrs' in entry) tally.skippedXattrs += entry.xattrs.size;
      switch (entry.kind) {
        case 'file':
          tally.files += 1;
          tally.writtenBytes += await writeFile(target, entry, preserveOwners);
          break;
        case 'directory':
          target.directory(entry, preserveOwners);
          break;
        case 'symlink': {
          const place = target.place(entry.path, (at) => symlinkSync(entry.target, at));
          if (preserveOwners) lchownSync(place, entry.uid, entry.gid);
          lutimesSync(place, seconds(entry), seconds(entry));
          break;
        }
        case 'hardlink':
          link(target, entry.path, entry.target);
          break;
        case 'character':
        case 'block':
        case 'fifo': {
          const reason = await makeNode(target, entry, preserveOwners, options.signal);
          if (reason !== undefined) skipped.push({ path: entry.path, reason });
          break;
        }
        case 'whiteout':
          target.whiteout(entry.path);
          break;
        case 'opaque':
          target.opaque(entry.path);
          break;
      }
      if (performance.now() - batchStart > batchMs) {
        options.signal?.throwIfAborted();
        await setImmediate();
        batchStart = performance.now();
      }
    }
    target.finish();
  } catch (error) {
    throw asDiskError(error, rootDirectory);
  }
  return { ...tally, skipped };
}

const seconds = (entry: EntryMetadata): number => entry.mtimeS + entry.mtimeNs / 1e9;

const writeFile = async (target: LayerTarget, entry: FileEntry, preserveOwners: boolean): Promise<number> => {
  let descriptor = -1;
  target.place(entry.path, (at) => {
    descriptor = openSync(at, createFlags, entry.mode & 0o777);
  });
  let written = 0;
  try {
    if (entry.sizeBytes > 0) {
      for await (const piece of entry.content) {
        // A full disk may take part of a piece before it refuses the rest.
        for (let at = 0; at < piece.length;) at += writeSync(descriptor, piece, at);
        written += piece.length;
      }
    }
    // Owner before mode: chown clears the setuid bit. chmod always: open() obeys the umask.
    if (preserveOwners) fchownSync(descriptor, entry.uid, entry.gid);
    fchmodSync(descriptor, entry.mode);
    futimesSync(descriptor, seconds(entry), seconds(entry));
  } finally {
    closeSync(descriptor);
  }
  return written;
};

const link = (target: LayerTarget, path: string, to: string): void => {
  const source = target.existing(to);
  if (source === undefined)
    throw new HarnessError('IMAGE_CORRUPT', `/${path} is a hard link to /${to}, which does not exist`);
  if (source !== target.existing(path)) target.place(path, (at) => linkSync(source, at));
};

const makeNode = async (
  target: LayerTarget,
  entry: NodeEntry,
  preserveOwners: boolean,
  signal: AbortSignal | undefined,
): Promise<string | undefined> => {
  if (entry.kind !== 'fifo' && !preserveOwners) return 'device nodes need root';
  const type = entry.kind === 'fifo' ? ['p'] : [entry.kind === 'character' ? 'c' : 'b'];
  if (entry.kind !== 'fifo') type.push(String(entry.major), String(entry.minor));
  const at = target.place(entry.path, (place) => {
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined)
      throw Object.assign(new Error('exists'), { code: 'EEXIST' });
  });
  // Node has no mknod(2).
  const mode = (entry.mode & 0o7777).toString(8).padStart(4, '0');
  const made = await runCommand(['mknod', '-m', mode, at, ...type], signal === undefined ? {} : { signal });
  if (made.exitCode !== 0) return made.stderr.trim() || 'mknod failed';
  if (preserveOwners) lchownSync(at, entry.uid, entry.gid);
  lutimesSync(at, seconds(entry), seconds(entry));
  return undefined;
};

const asDiskError = (error: unknown, rootDirectory: string): unknown => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new HarnessError(
    'DISK_FULL',
    `the disk is full: a layer could not be unpacked to ${rootDirectory}`,
    {
      cause: error,
    },
  );
};
