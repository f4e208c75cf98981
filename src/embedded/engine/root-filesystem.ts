import type { Snapshotter } from './snapshots.ts';

/** A regular file of a container's root file system, found and open. */
export interface RootFile {
  readonly sizeBytes: number;
  /**
   * Reads `length` bytes at `offset`, both inside the file, and throws them away: what counts is that they were
   * there. Nothing is awaited when the bytes are on this machine already, so that a warm read costs what a read
   * costs and not what a turn of the event loop costs.
   */
  read(offset: number, length: number, signal: AbortSignal): Promise<void> | undefined;
}

/** How a root file system is made. There is no kernel mount, so there is no mountinfo line to show. */
export interface RootMount {
  readonly snapshotter: Snapshotter;
  /** Image directories below the container's own; undefined where none is mounted because all is unpacked. */
  readonly lowerDirectories: number | undefined;
  /** The nydusd-like engine that serves it, for a lazy root. */
  readonly daemon: { readonly id: string; readonly mountpoint: string } | undefined;
}

/** What a container reads its files from: unpacked layers, or a Nydus mount. */
export interface RootFilesystem {
  readonly mount: RootMount;
  /** Finds a regular file as the kernel would in this root, symlinks included; undefined when there is none. */
  open(path: string): RootFile | undefined;
  /** Paths of all regular files in byte order of their paths, hard links once per name. */
  regularFiles(): Iterable<string>;
  /** Gives back open files; the root itself stays on the node. */
  close(): void;
}
