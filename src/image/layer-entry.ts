/** Metadata of one file-system object, as a tar header (with its pax records) gives it. */
export interface EntryMetadata {
  /** Path relative to the image's root, no leading slash, no `.` or `..` segment: `usr/bin/env`. */
  readonly path: string;
  /** Permission bits including setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  /** Extended attributes (`security.capability`, `user.*` …), raw values. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** One entry of a layer. Whiteouts are already told apart from files. */
export type LayerEntry =
  | (EntryMetadata & {
      readonly kind: 'file';
      readonly sizeBytes: number;
      readonly content: AsyncIterable<Uint8Array>;
    })
  | (EntryMetadata & { readonly kind: 'directory' })
  | (EntryMetadata & { readonly kind: 'symlink'; readonly target: string })
  /** A second name of a file that came earlier in the same or in a lower layer. */
  | (EntryMetadata & { readonly kind: 'hardlink'; readonly target: string })
  | (EntryMetadata & { readonly kind: 'character' | 'block'; readonly major: number; readonly minor: number })
  | (EntryMetadata & { readonly kind: 'fifo' })
  /** `.wh.NAME`: removes `path` of the lower layers. */
  | { readonly kind: 'whiteout'; readonly path: string }
  /** `.wh..wh..opq`: hides everything the lower layers have in the directory `path`. */
  | { readonly kind: 'opaque'; readonly path: string };
