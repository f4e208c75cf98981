/** Something that goes into a layer of the quickstart's image; paths are relative to the image's root. */
export type LayerItem =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly sizeBytes: number;
      /** File on this machine, or the text itself. */
      readonly content: { readonly file: string; readonly mtimeMs: number } | { readonly text: string };
    }
  | { readonly kind: 'symlink' | 'hardlink'; readonly path: string; readonly target: string }
  /** Removes `path` of the layers below. */
  | { readonly kind: 'whiteout'; readonly path: string };

/** A layer before it is packed. */
export interface LayerDraft {
  readonly name: string;
  /** What a Dockerfile would have said; goes into the image's history. */
  readonly createdBy: string;
  readonly items: readonly LayerItem[];
}

/** A text file of the image. */
export function textFile(path: string, text: string, mode = 0o644): LayerItem {
  return { kind: 'file', path, mode, sizeBytes: Buffer.byteLength(text), content: { text } };
}
