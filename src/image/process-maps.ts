/** One mapping of a file in a process's address space. */
export interface FileMapping {
  readonly startAddress: number;
  readonly endAddress: number;
  /** Where in the file the mapping begins. */
  readonly offset: number;
  /** As the kernel shows it to the reader of /proc. */
  readonly path: string;
}

const mapLine = /^([0-9a-f]+)-([0-9a-f]+) \S{4} ([0-9a-f]+) \S+ [1-9]\d* +(\/.*)$/u;

/**
 * Reads `/proc/PID/maps` (proc_pid_maps(5)), keeping the mappings of files. Deleted files are left out: they are not
 * part of an image. The kernel escapes line ends in names as `\012`.
 */
export function parseProcessMaps(text: string): readonly FileMapping[] {
  const mappings: FileMapping[] = [];
  for (const line of text.split('\n')) {
    const [, start, end, offset, path] = mapLine.exec(line) ?? [];
    if (start === undefined || end === undefined || offset === undefined || path === undefined) continue;
    if (path.endsWith(' (deleted)')) continue;
    mappings.push({
      startAddress: Number.parseInt(start, 16),
      endAddress: Number.parseInt(end, 16),
      offset: Number.parseInt(offset, 16),
      path: path.replaceAll('\\012', '\n'),
    });
  }
  return mappings;
}

/** Bytes of one entry of `/proc/PID/pagemap`. */
export const pagemapEntryBytes = 8;

/**
 * Is the `index`th page of a pagemap excerpt mapped into the process? Bit 63 = present in memory, bit 62 = swapped
 * out (Documentation/admin-guide/mm/pagemap.rst). Both mean that it was touched, or brought along by fault-around.
 */
export function isPageTouched(pagemap: Uint8Array, index: number): boolean {
  return ((pagemap[index * pagemapEntryBytes + 7] ?? 0) & 0xc0) !== 0;
}
