import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { HarnessError } from '../../errors/harness-error.ts';
import { parsePaxRecords } from '../tar/pax-records.ts';
import { isZeroBlock, parseTarHeader, tarBlockBytes } from '../tar/tar-header.ts';
import { readPieceBytes } from './directory-tree.ts';
import type { FileTree } from './file-tree.ts';

interface Member {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Old `docker save` writes equal layers once and links the other names to it. */
const maxLinks = 8;

/**
 * The members of an uncompressed tar file, found by one pass over its headers (contents are skipped, not read) and
 * read at random after that. Errors: IMAGE_NOT_FOUND, IMAGE_CORRUPT (truncated, no tar), IMAGE_UNSUPPORTED (compressed).
 */
export async function openArchiveTree(file: string): Promise<FileTree> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw new HarnessError('IMAGE_NOT_FOUND', `${file} cannot be opened`, { cause: error });
  });
  try {
    const { members, links } = await scan(handle, file);
    const find = (name: string): Member | undefined => {
      let at = path.posix.normalize(name);
      for (let hops = 0; hops < maxLinks; hops += 1) {
        const target = links.get(at);
        if (target === undefined) return members.get(at);
        at = target;
      }
      return undefined;
    };
    return {
      name: file,
      sizeBytes: (name) => Promise.resolve(find(name)?.sizeBytes),
      async *read(name, { range, signal } = {}) {
        const member = find(name);
        if (member === undefined) throw new HarnessError('IMAGE_CORRUPT', `${file} has no member ${name}`);
        let at = member.offset + (range?.first ?? 0);
        const end = member.offset + Math.min(member.sizeBytes, (range?.last ?? member.sizeBytes) + 1);
        while (at < end) {
          signal?.throwIfAborted();
          const piece = Buffer.allocUnsafe(Math.min(readPieceBytes, end - at));
          const { bytesRead } = await handle.read(piece, 0, piece.length, at);
          if (bytesRead === 0) throw new HarnessError('IMAGE_CORRUPT', `${file} is truncated inside ${name}`);
          at += bytesRead;
          yield piece.subarray(0, bytesRead);
        }
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

const scan = async (
  handle: FileHandle,
  file: string,
): Promise<{ members: ReadonlyMap<string, Member>; links: ReadonlyMap<string, string> }> => {
  const members = new Map<string, Member>();
  const links = new Map<string, string>();
  const { size: fileBytes } = await handle.stat();
  const block = Buffer.alloc(tarBlockBytes);
  let longName: string | undefined;
  let longLink: string | undefined;
  let longSize: number | undefined;
  for (let at = 0; at < fileBytes;) {
    const { bytesRead } = await handle.read(block, 0, tarBlockBytes, at);
    if (bytesRead < tarBlockBytes) throw new HarnessError('IMAGE_CORRUPT', `${file} is truncated`);
    if (isZeroBlock(block)) break;
    const header = parseTarHeader(block);
    if (header === undefined) {
      const isCompressed =
        at === 0 && (block.readUInt16BE(0) === 0x1f8b || block.readUInt32BE(0) === 0x28b52ffd);
      if (isCompressed)
        throw new HarnessError('IMAGE_UNSUPPORTED', `${file} is compressed`, {
          hint: 'Unpack it first (gunzip, unzstd): blobs are read from it at random.',
        });
      throw new HarnessError('IMAGE_CORRUPT', `${file} is not a tar archive at byte ${at}`);
    }
    const offset = at + tarBlockBytes;
    const isSpecial = 'xgLK'.includes(header.type);
    const sizeBytes = isSpecial ? header.sizeBytes : (longSize ?? header.sizeBytes);
    at = offset + Math.ceil(sizeBytes / tarBlockBytes) * tarBlockBytes;
    if (offset + sizeBytes > fileBytes)
      throw new HarnessError('IMAGE_CORRUPT', `${file} is truncated: a member reaches beyond its end`);
    if (isSpecial) {
      if (sizeBytes > 1 << 20) throw new HarnessError('IMAGE_CORRUPT', `${file} has an oversized tar header`);
      const body = Buffer.alloc(sizeBytes);
      await handle.read(body, 0, sizeBytes, offset);
      const text = body.toString('utf8').replace(/\0.*$/su, '');
      if (header.type === 'L') longName = text;
      else if (header.type === 'K') longLink = text;
      else if (header.type === 'x') {
        const pax = parsePaxRecords(body);
        const textOf = (key: string): string | undefined => pax?.get(key)?.toString();
        longName = textOf('path') ?? longName;
        longLink = textOf('linkpath') ?? longLink;
        const said = textOf('size');
        longSize = said === undefined ? undefined : Number(said);
      }
      continue;
    }
    const name = path.posix.normalize(longName ?? Buffer.from(header.name).toString('utf8'));
    const target = longLink ?? Buffer.from(header.linkName).toString('utf8');
    if (header.type === '0' || header.type === '7') members.set(name, { offset, sizeBytes });
    else if (header.type === '1') links.set(name, path.posix.normalize(target));
    else if (header.type === '2') links.set(name, path.posix.join(path.posix.dirname(name), target));
    longName = longLink = longSize = undefined;
  }
  return { members, links };
};
