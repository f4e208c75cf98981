import { isPageTouched, pagemapEntryBytes, type FileMapping } from './process-maps.ts';

/** A run of bytes of one file. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Remembers which pages of which files have been seen touched, so that repeated samples give only what is new. */
export class TouchedPages {
  readonly #pageBytes: number;
  readonly #seen = new Map<string, Set<number>>();

  constructor(pageBytes: number) {
    this.#pageBytes = pageBytes;
  }

  /** Files of which any page was seen touched. */
  get paths(): ReadonlySet<string> {
    return new Set(this.#seen.keys());
  }

  /**
   * Takes one mapping with its pagemap excerpt (8 bytes per page from `startAddress` on) and returns the runs of
   * pages not seen before, ascending.
   */
  add(mapping: FileMapping, pagemap: Uint8Array): readonly FileRange[] {
    const seen = this.#seen.get(mapping.path) ?? new Set<number>();
    const firstPage = mapping.offset / this.#pageBytes;
    const runs: { first: number; count: number }[] = [];
    for (let index = 0; index * pagemapEntryBytes < pagemap.length; index += 1) {
      const page = firstPage + index;
      if (!isPageTouched(pagemap, index) || seen.has(page)) continue;
      seen.add(page);
      const run = runs.at(-1);
      if (run !== undefined && run.first + run.count === page) run.count += 1;
      else runs.push({ first: page, count: 1 });
    }
    if (seen.size > 0) this.#seen.set(mapping.path, seen);
    return runs.map((run) => ({
      path: mapping.path,
      offset: run.first * this.#pageBytes,
      length: run.count * this.#pageBytes,
    }));
  }
}
