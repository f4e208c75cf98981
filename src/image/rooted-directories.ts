import { lstatSync, mkdirSync, readlinkSync } from 'node:fs';
import { HarnessError } from '../errors/harness-error.ts';

/** As many symbolic links as Linux follows in one path (MAXSYMLINKS). */
const maxLinks = 40;

/**
 * Finds directories below a root the way a process in a chroot would: symbolic links are followed inside the root,
 * never out of it. A path without links is looked up once; `forget` after removing a directory or a link.
 * Paths are relative to the root, the empty one is the root.
 */
export class RootedDirectories {
  readonly root: string;
  /** Path as asked for → path without links. */
  readonly #resolved = new Map<string, string>([['', '']]);
  /** Link-free paths known to be directories. */
  readonly #known = new Set<string>(['']);

  constructor(root: string) {
    this.root = root;
  }

  /** Where a link-free path is on the disk. */
  onDisk(path: string): string {
    return path === '' ? this.root : `${this.root}/${path}`;
  }

  /**
   * The link-free path of a directory. A missing one is made (mode 0755) or, without `create`, undefined is returned;
   * so it is for something that is no directory.
   */
  find(path: string, create: true): string;
  find(path: string, create: boolean): string | undefined;
  find(path: string, create: boolean): string | undefined {
    const cached = this.#resolved.get(path);
    if (cached !== undefined) return cached;
    const found = this.#walk('', path.split('/'), create, { links: 0 }, path);
    if (found !== undefined) this.#resolved.set(path, found);
    return found;
  }

  /** Tells that a new directory stands at a link-free path. */
  remember(path: string): void {
    this.#known.add(path);
  }

  /** Forgets everything: a directory or a link was removed. */
  forget(): void {
    this.#resolved.clear();
    this.#known.clear();
    this.#resolved.set('', '');
    this.#known.add('');
  }

  #walk(
    from: string,
    segments: readonly string[],
    create: boolean,
    budget: { links: number },
    asked: string,
  ): string | undefined {
    let at = from;
    for (const segment of segments) {
      if (segment === '' || segment === '.') continue;
      if (segment === '..') {
        // The root is its own parent.
        at = at.includes('/') ? at.slice(0, at.lastIndexOf('/')) : '';
        continue;
      }
      const next = at === '' ? segment : `${at}/${segment}`;
      const step = this.#known.has(next) ? next : this.#step(at, next, create, budget, asked);
      if (step === undefined) return undefined;
      at = step;
    }
    return at;
  }

  #step(
    at: string,
    next: string,
    create: boolean,
    budget: { links: number },
    asked: string,
  ): string | undefined {
    const status = lstatSync(this.onDisk(next), { throwIfNoEntry: false });
    if (status === undefined) {
      if (!create) return undefined;
      mkdirSync(this.onDisk(next), 0o755);
      this.#known.add(next);
      return next;
    }
    if (status.isDirectory()) {
      this.#known.add(next);
      return next;
    }
    if (!status.isSymbolicLink()) {
      if (!create) return undefined;
      throw new HarnessError(
        'IMAGE_CORRUPT',
        `the layers put files below /${next}, which is not a directory`,
      );
    }
    budget.links += 1;
    if (budget.links > maxLinks)
      throw new HarnessError(
        'LAYER_UNSAFE',
        `the path ${JSON.stringify(asked)} goes round in symbolic links`,
      );
    const target = readlinkSync(this.onDisk(next));
    return this.#walk(target.startsWith('/') ? '' : at, target.split('/'), create, budget, asked);
  }
}
