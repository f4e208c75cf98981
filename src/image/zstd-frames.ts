import { ByteReader } from './tar/byte-reader.ts';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const gatherBytes = 256 * 1024;

/** Thrown by {@link zstdFrameParts} for bytes that are no zstd stream, or only the beginning of one. */
export class ZstdFrameError extends Error {}

/**
 * Cuts a zstd stream into pieces of which none reaches over the end of a frame, and drops skippable frames; nothing
 * is decompressed. Needed because node:zlib stops silently after the first frame that ends inside one write, and
 * goes on when each write ends where a frame does. Source of the layout: RFC 8878, section 3.
 */
export async function* zstdFrameParts(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(compressed);
  try {
    for (;;) {
      const start = await reader.exactly(4);
      if (start.length === 0) return;
      const magic = u32(start);
      if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
        const length = u32(await needed(reader, 4));
        if ((await reader.skip(length)) < length) throw new ZstdFrameError('truncated');
      } else if (magic === frameMagic) yield* frame(reader, start);
      else throw new ZstdFrameError(`no zstd frame at byte ${reader.position - start.length}`);
    }
  } finally {
    await reader.close();
  }
}

async function* frame(reader: ByteReader, magic: Uint8Array): AsyncGenerator<Uint8Array> {
  const descriptorByte = await needed(reader, 1);
  const descriptor = descriptorByte[0] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const header = await needed(reader, (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes);
  let parts: Uint8Array[] = [magic, descriptorByte, header];
  let gathered = 0;
  for (let isLast = false; !isLast;) {
    const block = await needed(reader, 3);
    const value = (block[0] ?? 0) | ((block[1] ?? 0) << 8) | ((block[2] ?? 0) << 16);
    isLast = (value & 1) === 1;
    const type = (value >> 1) & 3;
    if (type === 3) throw new ZstdFrameError('a block has the reserved type');
    // A run-length block stores one byte, whatever its size says.
    const body = await needed(reader, type === 1 ? 1 : value >> 3);
    parts.push(block, body);
    gathered += body.length;
    if (isLast && hasChecksum) parts.push(await needed(reader, 4));
    if (!isLast && gathered < gatherBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    gathered = 0;
  }
}

const u32 = (bytes: Uint8Array): number => {
  if (bytes.length < 4) throw new ZstdFrameError('truncated');
  return Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE(0);
};

const needed = async (reader: ByteReader, length: number): Promise<Uint8Array> => {
  if (length === 0) return new Uint8Array();
  const bytes = await reader.exactly(length);
  if (bytes.length < length) throw new ZstdFrameError('truncated');
  return bytes;
};
