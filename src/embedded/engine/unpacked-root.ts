import fs from 'node:fs';
import path from 'node:path';
import type { RootFile, RootFilesystem, RootMount } from './root-filesystem.ts';
import type { Snapshotter } from './snapshots.ts';

/** As Linux: ELOOP after 40 symlinks on one path. */
const maxLinksFollowed = 40;
/** File handles kept open at once; a start that touches more files opens some of them twice. */
const maxOpenFiles = 256;
/** The kernel reads ahead in windows of this size (bdi read_ahead_kb); also the size of one FUSE request. */
export const readWindowBytes = 128 * 1024;

const discarded = Buffer.alloc(readWindowBytes);

/** Reads a file range from disk in windows, and forgets it. Throws when the file is shorter than it was. */
export function readAndDiscard(descriptor: number, offset: number, length: number): void {
  for (let done = 0; done < length;) {
    const got = fs.readSync(
      descriptor,
      discarded,
      0,
      Math.min(readWindowBytes, length - done),
      offset + done,
    );
    if (got === 0) throw new Error('the file ended early');
    done += got;
  }
}

/**
 * A root file system that lies unpacked in a directory. Symlinks are resolved inside it, as in a chroot: an absolute
 * target starts at the image's root, and `..` stops there.
 */
export class UnpackedRoot implements RootFilesystem {
  readonly mount: RootMount;
  readonly #directory: string;
  readonly #open = new Map<string, number>();
  readonly #kinds = new Map<string, 'file' | 'directory' | 'symlink' | 'other' | 'none'>();

  constructor(directory: string, snapshotter: Snapshotter) {
    this.#directory = directory;
    this.mount = { snapshotter, lowerDirectories: undefined, daemon: undefined };
  }

  open(wanted: string): RootFile | undefined {
    const found = this.#resolve(wanted);
    if (found === undefined) return undefined;
    const { size } = fs.fstatSync(this.#descriptorOf(found));
    return {
      sizeBytes: size,
      read: (offset, length) => {
        readAndDiscard(this.#descriptorOf(found), offset, length);
        return undefined;
      },
    };
  }

  *regularFiles(): Generator<string> {
    yield* this.#walk('');
  }

  close(): void {
    for (const descriptor of this.#open.values()) fs.closeSync(descriptor);
    this.#open.clear();
  }

  *#walk(directory: string): Generator<string> {
    const entries = fs.readdirSync(path.join(this.#directory, directory), { withFileTypes: true });
    entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    for (const entry of entries) {
      const name = `${directory}/${entry.name}`;
      if (entry.isDirectory()) yield* this.#walk(name);
      else if (entry.isFile()) yield name;
    }
  }

  /** Place of a regular file below the root directory, symlinks resolved. */
  #resolve(wanted: string): string | undefined {
    const trail: string[] = [];
    const pending = wanted.split('/').reverse();
    let linksFollowed = 0;
    while (pending.length > 0) {
      const name = pending.pop() ?? '';
      if (name === '' || name === '.') continue;
      if (name === '..') {
        trail.pop();
        continue;
      }
      const here = [...trail, name].join('/');
      const kind = this.#kindOf(here);
      if (kind === 'symlink') {
        linksFollowed += 1;
        if (linksFollowed > maxLinksFollowed) return undefined;
        const target = fs.readlinkSync(path.join(this.#directory, here));
        if (target.startsWith('/')) trail.length = 0;
        pending.push(...target.split('/').reverse());
        continue;
      }
      if (kind !== 'directory' && !(kind === 'file' && pending.every((rest) => rest === '')))
        return undefined;
      trail.push(name);
    }
    const found = trail.join('/');
    return this.#kindOf(found) === 'file' ? found : undefined;
  }

  #kindOf(inside: string): 'file' | 'directory' | 'symlink' | 'other' | 'none' {
    const known = this.#kinds.get(inside);
    if (known !== undefined) return known;
    const stat = fs.lstatSync(path.join(this.#directory, inside), { throwIfNoEntry: false });
    const kind =
      stat === undefined
        ? 'none'
        : stat.isFile()
          ? 'file'
          : stat.isDirectory()
            ? 'directory'
            : stat.isSymbolicLink()
              ? 'symlink'
              : 'other';
    this.#kinds.set(inside, kind);
    return kind;
  }

  #descriptorOf(inside: string): number {
    const open = this.#open.get(inside);
    if (open !== undefined) return open;
    if (this.#open.size >= maxOpenFiles) {
      for (const [oldest, descriptor] of this.#open) {
        fs.closeSync(descriptor);
        this.#open.delete(oldest);
        break;
      }
    }
    const descriptor = fs.openSync(path.join(this.#directory, inside), 'r');
    this.#open.set(inside, descriptor);
    return descriptor;
  }
}
