import { HarnessError } from '../../errors/harness-error.ts';
import { ByteReader } from './byte-reader.ts';
import { parsePaxRecords } from './pax-records.ts';
import {
  contentFreeTypes,
  isZeroBlock,
  parseTarHeader,
  tarBlockBytes,
  type TarHeader,
} from './tar-header.ts';

/** One member of a tar stream, with pax records and GNU long names laid over its header, names still raw bytes. */
export interface TarEntry extends TarHeader {
  readonly pax: ReadonlyMap<string, Uint8Array>;
  /** Where the content starts in the (uncompressed) stream. */
  readonly contentOffset: number;
  /** The content; readable once, and only before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** pax headers and long names larger than this are an attack, not a name (Go's archive/tar has the same limit). */
const maxSpecialBytes = 1 << 20;

const corrupt = (message: string): HarnessError => new HarnessError('IMAGE_CORRUPT', message);

/**
 * Reads a tar stream (ustar, pax, GNU) entry by entry, and to its very end, so that a digest over the stream is
 * complete. An own reader because tar-stream 3 decodes pax values as UTF-8, which damages binary extended attributes
 * such as security.capability. `what` names the stream in errors (IMAGE_CORRUPT, IMAGE_UNSUPPORTED).
 */
export async function* tarEntries(source: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source);
  let globalPax = new Map<string, Uint8Array>();
  let overlay: Overlay = {};
  try {
    for (;;) {
      const at = reader.position;
      const block = await reader.exactly(tarBlockBytes);
      if (block.length === 0) break;
      if (block.length < tarBlockBytes) throw truncated(what, at);
      if (isZeroBlock(block)) {
        await drain(reader);
        break;
      }
      const header = parseTarHeader(block);
      if (header === undefined)
        throw corrupt(`${what} is not a tar stream at byte ${at}: a header is damaged`);
      if (header.type === 'x' || header.type === 'g' || header.type === 'L' || header.type === 'K') {
        const body = await special(reader, header, what);
        if (header.type === 'L') overlay = { ...overlay, longName: upToNul(body) };
        else if (header.type === 'K') overlay = { ...overlay, longLink: upToNul(body) };
        else {
          const records = parsePaxRecords(body);
          if (records === undefined) throw corrupt(`${what} has a malformed pax header at byte ${at}`);
          if (header.type === 'g') globalPax = new Map([...globalPax, ...records]);
          else overlay = { ...overlay, pax: records };
        }
        continue;
      }
      const laid = lay(header, globalPax, overlay, what);
      overlay = {};
      const content = new Content(reader, laid.sizeBytes, what);
      yield { ...laid, contentOffset: reader.position, content };
      await content.finish();
      await pad(reader, laid.sizeBytes, what);
    }
  } finally {
    await reader.close();
  }
}

interface Overlay {
  readonly pax?: ReadonlyMap<string, Uint8Array>;
  readonly longName?: Uint8Array;
  readonly longLink?: Uint8Array;
}

const noRecords: ReadonlyMap<string, Uint8Array> = new Map();

const lay = (
  header: TarHeader,
  globalPax: ReadonlyMap<string, Uint8Array>,
  overlay: Overlay,
  what: string,
): TarHeader & { readonly pax: ReadonlyMap<string, Uint8Array> } => {
  const pax =
    globalPax.size === 0 ? (overlay.pax ?? noRecords) : new Map([...globalPax, ...(overlay.pax ?? [])]);
  const isSparse = header.type === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'));
  if (isSparse)
    throw new HarnessError('IMAGE_UNSUPPORTED', `${what} has a sparse file, which image layers never need`);
  const numeric = (key: string, fallback: number): number => {
    const value = pax.get(key);
    if (value === undefined || value.length === 0) return fallback;
    const read = Number(Buffer.from(value).toString('latin1'));
    if (!Number.isSafeInteger(read) || read < 0)
      throw corrupt(`${what} has a pax header with a wrong ${key}`);
    return read;
  };
  const sizeBytes = numeric('size', header.sizeBytes);
  return {
    ...header,
    name: nonEmpty(pax.get('path')) ?? overlay.longName ?? header.name,
    linkName: nonEmpty(pax.get('linkpath')) ?? overlay.longLink ?? header.linkName,
    uid: numeric('uid', header.uid),
    gid: numeric('gid', header.gid),
    sizeBytes: contentFreeTypes.has(header.type) ? 0 : sizeBytes,
    pax,
  };
};

const nonEmpty = (value: Uint8Array | undefined): Uint8Array | undefined =>
  value === undefined || value.length === 0 ? undefined : value;

const upToNul = (body: Uint8Array): Uint8Array => {
  const end = body.indexOf(0);
  return end === -1 ? body : body.subarray(0, end);
};

const truncated = (what: string, at: number): HarnessError =>
  corrupt(`${what} is truncated: it ends at byte ${at}, in the middle of an entry`);

const special = async (reader: ByteReader, header: TarHeader, what: string): Promise<Uint8Array> => {
  if (header.sizeBytes > maxSpecialBytes)
    throw corrupt(`${what} has a tar header of ${header.sizeBytes} bytes`);
  const body = await reader.exactly(header.sizeBytes);
  if (body.length < header.sizeBytes) throw truncated(what, reader.position);
  const kept = body.slice();
  await pad(reader, header.sizeBytes, what);
  return kept;
};

const pad = async (reader: ByteReader, sizeBytes: number, what: string): Promise<void> => {
  const padding = (tarBlockBytes - (sizeBytes % tarBlockBytes)) % tarBlockBytes;
  if ((await reader.skip(padding)) < padding) throw truncated(what, reader.position);
};

const drain = async (reader: ByteReader): Promise<void> => {
  while ((await reader.some(Number.MAX_SAFE_INTEGER)) !== undefined);
};

/** The content of one entry. What the consumer leaves is skipped. */
class Content implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #reader: ByteReader;
  readonly #what: string;
  #left: number;

  constructor(reader: ByteReader, sizeBytes: number, what: string) {
    this.#reader = reader;
    this.#left = sizeBytes;
    this.#what = what;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#left === 0) return { done: true, value: undefined };
    const part = await this.#reader.some(this.#left);
    if (part === undefined) throw truncated(this.#what, this.#reader.position);
    this.#left -= part.length;
    return { done: false, value: part };
  }

  async finish(): Promise<void> {
    const left = this.#left;
    this.#left = 0;
    if ((await this.#reader.skip(left)) < left) throw truncated(this.#what, this.#reader.position);
  }
}
