import type { ByteRange } from '../image-source.ts';

/** Named files to read from: a directory, or the members of a tar archive. */
export interface FileTree extends AsyncDisposable {
  /** What the user calls it, for messages. */
  readonly name: string;
  /** Size of a file; undefined when there is none. */
  sizeBytes(path: string): Promise<number | undefined>;
  /** Streams a file that exists, or a range of it. */
  read(path: string, options?: { range?: ByteRange; signal?: AbortSignal }): AsyncIterable<Uint8Array>;
}
