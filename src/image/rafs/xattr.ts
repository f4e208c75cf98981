import { bootstrapInvalid } from './bootstrap-invalid.ts';
import type { ByteReader } from './byte-reader.ts';
import type { Inode } from './inode.ts';

/** EROFS name prefixes (include/linux/erofs_fs.h, EROFS_XATTR_INDEX_*). */
const prefixes: readonly (readonly [index: number, prefix: string])[] = [
  [1, 'user.'],
  [2, 'system.posix_acl_access'],
  [3, 'system.posix_acl_default'],
  [4, 'trusted.'],
  [6, 'security.'],
];
const headerBytes = 12;
const maxBodyBytes = headerBytes + 4 * 65534;

/** Extended attributes of an inode by full name; views, not copies. Throws BOOTSTRAP_INVALID. */
export function readXattrs(reader: ByteReader, inode: Inode): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  if (inode.xattrSizeBytes === 0) return found;
  const where = `xattrs of nid ${String(inode.nid)}`;
  if (reader.u8(inode.xattrOffset + 4, where) !== 0)
    throw bootstrapInvalid('shared xattrs, which RAFS has not', where);
  const end = inode.xattrOffset + inode.xattrSizeBytes;
  let at = inode.xattrOffset + headerBytes;
  while (at + 4 <= end) {
    const nameBytes = reader.u8(at, where);
    const valueBytes = reader.u16(at + 2, where);
    const prefixIndex = reader.u8(at + 1, where);
    if (nameBytes === 0 && valueBytes === 0 && prefixIndex === 0) break;
    const prefix = prefixes.find(([index]) => index === prefixIndex)?.[1];
    if (prefix === undefined) throw bootstrapInvalid(`name prefix ${String(prefixIndex)}`, where);
    const next = at + 4 + nameBytes + valueBytes;
    if (next > end) throw bootstrapInvalid('an entry reaches over the end', where);
    found.set(
      prefix + reader.text(at + 4, nameBytes, where),
      reader.slice(at + 4 + nameBytes, valueBytes, where),
    );
    at = inode.xattrOffset + Math.ceil((next - inode.xattrOffset) / 4) * 4;
  }
  return found;
}

/** Whether EROFS has a place for this name: Linux knows no other namespaces that an image could hold. */
export const isStorableXattr = (name: string): boolean =>
  prefixes.some(([index, prefix]) =>
    index === 2 || index === 3 ? name === prefix : name.startsWith(prefix),
  );

/**
 * The bytes that follow an inode: header and entries sorted by name. Empty for no attributes, undefined when they
 * are too large for the format (names up to 255 bytes, 256 KiB in all).
 */
export function encodeXattrs(xattrs: ReadonlyMap<string, Uint8Array>): Uint8Array | undefined {
  if (xattrs.size === 0) return new Uint8Array(0);
  const parts: Buffer[] = [Buffer.alloc(headerBytes)];
  for (const name of [...xattrs.keys()].sort()) {
    const [index, prefix] = prefixes.find(([, candidate]) => name.startsWith(candidate)) ?? [0, ''];
    const suffix = Buffer.from(name.slice(prefix.length));
    const value = xattrs.get(name) ?? new Uint8Array(0);
    if (suffix.length > 255 || value.length > 65535) return undefined;
    const entry = Buffer.alloc(Math.ceil((4 + suffix.length + value.length) / 4) * 4);
    entry.writeUInt8(suffix.length, 0);
    entry.writeUInt8(index, 1);
    entry.writeUInt16LE(value.length, 2);
    entry.set(suffix, 4);
    entry.set(value, 4 + suffix.length);
    parts.push(entry);
  }
  const body = Buffer.concat(parts);
  return body.length > maxBodyBytes ? undefined : body;
}
