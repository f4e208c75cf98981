import { HarnessError } from '../errors/harness-error.ts';
import type { EntryMetadata, LayerEntry } from './layer-entry.ts';
import { uncompressedLayer, withDiffId } from './layer-stream.ts';
import { parsePaxTime } from './tar/pax-records.ts';
import { tarEntries, type TarEntry } from './tar/tar-entries.ts';

/** How a layer may be read. */
export interface LayerEntriesOptions {
  /** Diff id from the image's config; the layer is compared with it at its end (DIGEST_MISMATCH). */
  readonly diffId?: string;
  /** Name of the layer in error messages; its digest, usually. */
  readonly name?: string;
}

/**
 * The entries of a layer in their order. A root entry (`./`) comes as a directory with the empty path. The stream is
 * read to its end, so that digests over it are complete. Errors: LAYER_UNSAFE for names that would leave the image,
 * IMAGE_CORRUPT for a damaged or truncated layer, IMAGE_UNSUPPORTED for what no image needs.
 */
export async function* layerEntries(
  compressed: AsyncIterable<Uint8Array>,
  mediaType: string,
  options: LayerEntriesOptions = {},
): AsyncGenerator<LayerEntry> {
  const plain = uncompressedLayer(compressed, mediaType);
  const checked = options.diffId === undefined ? plain : withDiffId(plain, options.diffId);
  const what = options.name === undefined ? 'a layer' : `layer ${options.name}`;
  for await (const entry of tarEntries(checked, what)) {
    const converted = layerEntry(entry, what);
    if (converted !== undefined) yield converted;
  }
}

const whiteoutPrefix = '.wh.';
const opaqueName = '.wh..wh..opq';
/** AUFS bookkeeping (`.wh..wh.plnk`, `.wh..wh.aufs`), which containerd skips too. */
const metadataPrefix = '.wh..wh.';
const permissionBits = 0o7777;

const layerEntry = (entry: TarEntry, what: string): LayerEntry | undefined => {
  const path = safePath(entry.name, what);
  const slash = path.lastIndexOf('/');
  const base = path.slice(slash + 1);
  if (base.startsWith(whiteoutPrefix)) {
    const directory = slash === -1 ? '' : path.slice(0, slash);
    if (base === opaqueName) return { kind: 'opaque', path: directory };
    if (base.startsWith(metadataPrefix)) return undefined;
    const name = base.slice(whiteoutPrefix.length);
    if (name === '' || name === '.' || name === '..')
      throw unsafe(what, path, 'is a whiteout of nothing inside the image');
    return { kind: 'whiteout', path: directory === '' ? name : `${directory}/${name}` };
  }
  const metadata = metadataOf(entry, path);
  // V7 tars mark a directory by a trailing slash only.
  const isOldDirectory = entry.type === '0' && entry.name.at(-1) === 0x2f;
  if (path === '' && entry.type !== '5' && !isOldDirectory)
    throw unsafe(what, '/', 'would replace the root of the image');
  switch (isOldDirectory ? '5' : entry.type) {
    case '0':
    case '7':
      return { ...metadata, kind: 'file', sizeBytes: entry.sizeBytes, content: entry.content };
    case '1':
      return { ...metadata, kind: 'hardlink', target: safePath(entry.linkName, what) };
    case '2':
      return { ...metadata, kind: 'symlink', target: symlinkTarget(entry.linkName, path, what) };
    case '3':
      return { ...metadata, kind: 'character', major: entry.major, minor: entry.minor };
    case '4':
      return { ...metadata, kind: 'block', major: entry.major, minor: entry.minor };
    case '5':
      return { ...metadata, kind: 'directory' };
    case '6':
      return { ...metadata, kind: 'fifo' };
    default:
      throw new HarnessError(
        'IMAGE_UNSUPPORTED',
        `${what} has an entry of the unknown type ${JSON.stringify(entry.type)} at ${JSON.stringify(path)}`,
      );
  }
};

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();
const xattrPrefix = 'SCHILY.xattr.';

const metadataOf = (entry: TarEntry, path: string): EntryMetadata => {
  let xattrs = noXattrs;
  let mtimeS = entry.mtimeS;
  let mtimeNs = 0;
  if (entry.pax.size > 0) {
    const found = [...entry.pax].filter(([key]) => key.startsWith(xattrPrefix));
    if (found.length > 0)
      xattrs = new Map(found.map(([key, value]) => [key.slice(xattrPrefix.length), value]));
    const text = entry.pax.get('mtime');
    const time = text === undefined ? undefined : parsePaxTime(Buffer.from(text).toString('latin1'));
    if (time !== undefined) {
      mtimeS = time.seconds;
      mtimeNs = time.nanoseconds;
    }
  }
  return { path, mode: entry.mode & permissionBits, uid: entry.uid, gid: entry.gid, mtimeS, mtimeNs, xattrs };
};

const unsafe = (what: string, path: string, why: string): HarnessError =>
  new HarnessError('LAYER_UNSAFE', `${what}: the entry ${JSON.stringify(path)} ${why}`);

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const decoded = (name: Uint8Array, what: string): string => {
  if (name.includes(0))
    throw unsafe(what, Buffer.from(name).toString('latin1'), 'has a NUL byte in its name');
  try {
    return strictUtf8.decode(name);
  } catch {
    // Written as text it would become another file; nobody would notice until a program misses it.
    const shown = JSON.stringify(Buffer.from(name).toString('latin1'));
    throw new HarnessError('IMAGE_UNSUPPORTED', `${what}: the name ${shown} is not UTF-8`);
  }
};

/** Normalises as containerd does (leading `/` and `./`, doubled and trailing slashes); any `..` is refused. */
const safePath = (name: Uint8Array, what: string): string => {
  const text = decoded(name, what);
  if (text.length > 0 && !/^[./]|\/\.|\/\/|\/$/u.test(text)) return text;
  const segments = text.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (text === '') throw unsafe(what, '', 'has no name');
  if (segments.includes('..')) throw unsafe(what, text, 'would leave the image by `..`');
  return segments.join('/');
};

const symlinkTarget = (name: Uint8Array, path: string, what: string): string => {
  const target = decoded(name, what);
  if (target === '') throw unsafe(what, path, 'is a symbolic link to nothing');
  return target;
};
