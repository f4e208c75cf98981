import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import path from 'node:path';
import { pagemapEntryBytes, parseProcessMaps, type FileMapping } from '../../src/image/process-maps.ts';
import { TouchedPages } from '../../src/image/touched-pages.ts';
import type { PageSample } from '../../src/image/recorded-steps.ts';

/** Processes whose root directory is `root`: the program in the chroot with all that it started. */
export function processesIn(root: string): readonly number[] {
  const inRoot = (pid: string): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/root`) === root;
    } catch {
      return false; // A kernel thread, or a process that has ended meanwhile.
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name) && inRoot(name))
    .map(Number);
}

/** Reads which pages of mapped files the processes of a chroot have touched; only what is new since the last call. */
export class PageSampler {
  readonly #root: string;
  readonly #pageBytes: number;
  readonly #touched: TouchedPages;
  readonly #samples: PageSample[] = [];
  #previousEpochMs: number;

  constructor(root: string, pageBytes: number, nowEpochMs: number) {
    this.#root = root;
    this.#pageBytes = pageBytes;
    this.#touched = new TouchedPages(pageBytes);
    this.#previousEpochMs = nowEpochMs;
  }

  get samples(): readonly PageSample[] {
    return this.#samples;
  }

  /** Takes one sample of the whole process tree. Synchronous: a sample is one moment. */
  sample(nowEpochMs: number): void {
    for (const pid of processesIn(this.#root)) this.#sampleProcess(pid);
    this.#previousEpochMs = nowEpochMs;
  }

  #sampleProcess(pid: number): void {
    let pagemap: number | undefined;
    try {
      pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
      const inRoot = this.#root + path.sep;
      const mappings = parseProcessMaps(readFileSync(`/proc/${pid}/maps`, 'utf8'));
      for (const mapping of mappings)
        if (mapping.path.startsWith(inRoot)) this.#sampleMapping(pagemap, mapping);
    } catch (error) {
      // The process ended or called execve between two reads: the next sample sees what is there then.
      const { code } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
      if (code !== 'ENOENT' && code !== 'ESRCH' && code !== 'EACCES') throw error;
    } finally {
      if (pagemap !== undefined) closeSync(pagemap);
    }
  }

  #sampleMapping(pagemap: number, mapping: FileMapping): void {
    const pages = Math.ceil((mapping.endAddress - mapping.startAddress) / this.#pageBytes);
    const buffer = Buffer.alloc(pages * pagemapEntryBytes);
    const position = (mapping.startAddress / this.#pageBytes) * pagemapEntryBytes;
    const length = readSync(pagemap, buffer, 0, buffer.length, position);
    for (const range of this.#touched.add(mapping, buffer.subarray(0, length)))
      this.#samples.push({ ...range, sinceEpochMs: this.#previousEpochMs });
  }
}
