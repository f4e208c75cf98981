import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import type { EntryMetadata } from './layer-entry.ts';
import { RootedDirectories } from './rooted-directories.ts';

interface PendingDirectory {
  readonly metadata: EntryMetadata;
  readonly preserveOwners: boolean;
}

/** A root file system while one layer is put over it: knows what came from this layer and what from lower ones. */
export class LayerTarget {
  readonly #directories: RootedDirectories;
  /** Link-free paths that this layer wrote. */
  readonly #written = new Set<string>();
  /** Their parents, which may have come from lower layers. */
  readonly #parents = new Set<string>(['']);
  /** Modes and times are set last: a directory without write permission must still be filled. */
  readonly #pending = new Map<string, PendingDirectory>();

  constructor(root: string) {
    this.#directories = new RootedDirectories(root);
  }

  /**
   * Makes something at `path` by calling `make` with its place on the disk. Parents are made when missing; what
   * lower layers have there is removed first. Returns the place.
   */
  place(path: string, make: (at: string) => void): string {
    const own = this.#locate(path, true);
    const at = this.#directories.onDisk(own);
    try {
      make(at);
    } catch (error) {
      if (!isErrorCode(error, 'EEXIST')) throw error;
      this.#remove(own);
      make(at);
    }
    this.#note(own);
    return at;
  }

  /** Makes a directory, or takes over the one that is there. */
  directory(metadata: EntryMetadata, preserveOwners: boolean): void {
    const own = metadata.path === '' ? '' : this.#locate(metadata.path, true);
    if (own !== '') {
      const at = this.#directories.onDisk(own);
      try {
        mkdirSync(at, 0o700);
      } catch (error) {
        if (!isErrorCode(error, 'EEXIST')) throw error;
        if (lstatSync(at).isDirectory()) {
          // A lower layer may have left it read-only.
          if (!preserveOwners) chmodSync(at, 0o700);
        } else {
          this.#remove(own);
          mkdirSync(at, 0o700);
        }
      }
      this.#directories.remember(own);
      this.#note(own);
    }
    this.#pending.set(own, { metadata, preserveOwners });
  }

  /** Where something that exists stands on the disk; its last part is not followed. */
  existing(path: string): string | undefined {
    const own = this.#locate(path, false);
    if (own === undefined) return undefined;
    const at = this.#directories.onDisk(own);
    return lstatSync(at, { throwIfNoEntry: false }) === undefined ? undefined : at;
  }

  /** Removes what lower layers have at `path`; what this layer wrote there stays. */
  whiteout(path: string): void {
    const own = this.#locate(path, false);
    if (own === undefined) return;
    if (this.#parents.has(own)) this.#clear(own);
    else if (!this.#written.has(own)) this.#remove(own);
    else if (lstatSync(this.#directories.onDisk(own)).isDirectory()) this.#clear(own);
  }

  /** Removes what lower layers have inside the directory `path`. */
  opaque(path: string): void {
    const own = this.#directories.find(path, false);
    if (own !== undefined) this.#clear(own);
  }

  /** Sets owners, modes and times of directories. */
  finish(): void {
    for (const [own, { metadata, preserveOwners }] of this.#pending) {
      const at = this.#directories.onDisk(own);
      if (preserveOwners) chownSync(at, metadata.uid, metadata.gid);
      chmodSync(at, metadata.mode);
      const timeS = metadata.mtimeS + metadata.mtimeNs / 1e9;
      utimesSync(at, timeS, timeS);
    }
  }

  #locate(path: string, create: true): string;
  #locate(path: string, create: boolean): string | undefined;
  #locate(path: string, create: boolean): string | undefined {
    const slash = path.lastIndexOf('/');
    if (slash === -1) return path;
    const parent = this.#directories.find(path.slice(0, slash), create);
    if (parent === undefined) return undefined;
    return parent === '' ? path.slice(slash + 1) : `${parent}/${path.slice(slash + 1)}`;
  }

  #note(own: string): void {
    this.#written.add(own);
    for (let slash = own.lastIndexOf('/'); slash !== -1; slash = own.lastIndexOf('/', slash - 1)) {
      const parent = own.slice(0, slash);
      if (this.#parents.has(parent)) break;
      this.#parents.add(parent);
    }
  }

  #clear(own: string): void {
    for (const child of readdirSync(this.#directories.onDisk(own), { withFileTypes: true })) {
      const path = own === '' ? child.name : `${own}/${child.name}`;
      if (!this.#written.has(path) && !this.#parents.has(path)) this.#remove(path);
      else if (child.isDirectory()) this.#clear(path);
    }
  }

  #remove(own: string): void {
    const at = this.#directories.onDisk(own);
    const status = lstatSync(at, { throwIfNoEntry: false });
    if (status === undefined) return;
    rmSync(at, { recursive: true, force: true });
    if (!status.isDirectory() && !status.isSymbolicLink()) return;
    this.#directories.forget();
    // Nothing may be set later through a path that now leads elsewhere.
    const below = `${own}/`;
    for (const set of [this.#written, this.#parents])
      for (const path of set) if (path === own || path.startsWith(below)) set.delete(path);
    for (const path of this.#pending.keys())
      if (path === own || path.startsWith(below)) this.#pending.delete(path);
  }
}

const isErrorCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
