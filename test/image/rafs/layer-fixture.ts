// Layers for tests, written down as a list.
import { Readable } from 'node:stream';
import type { EntryMetadata, LayerEntry } from '../../../src/image/layer-entry.ts';

const metadata = (name: string, given: Partial<EntryMetadata> = {}): EntryMetadata => ({
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeS: 1_600_000_000,
  mtimeNs: 0,
  xattrs: new Map(),
  ...given,
  path: name,
});

function* inPieces(bytes: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Makers of entries, so that a layer reads like a listing. */
export const entry = {
  file: (
    name: string,
    content: string | Uint8Array,
    given?: Partial<EntryMetadata>,
    announcedBytes?: number,
  ): LayerEntry => {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    return {
      ...metadata(name, given),
      kind: 'file',
      sizeBytes: announcedBytes ?? bytes.length,
      content: Readable.from(inPieces(bytes, 50_000)),
    };
  },
  directory: (name: string, given?: Partial<EntryMetadata>): LayerEntry => ({
    ...metadata(name, { mode: 0o755, ...given }),
    kind: 'directory',
  }),
  symlink: (name: string, target: string, given?: Partial<EntryMetadata>): LayerEntry => ({
    ...metadata(name, { mode: 0o777, ...given }),
    kind: 'symlink',
    target,
  }),
  hardlink: (name: string, target: string): LayerEntry => ({ ...metadata(name), kind: 'hardlink', target }),
  device: (name: string, kind: 'character' | 'block', major: number, minor: number): LayerEntry => ({
    ...metadata(name),
    kind,
    major,
    minor,
  }),
  fifo: (name: string): LayerEntry => ({ ...metadata(name), kind: 'fifo' }),
  whiteout: (name: string): LayerEntry => ({ kind: 'whiteout', path: name }),
  opaque: (name: string): LayerEntry => ({ kind: 'opaque', path: name }),
};

/** A layer from a list. */
export const layerOf = (...entries: readonly LayerEntry[]): AsyncIterable<LayerEntry> =>
  Readable.from(entries);
