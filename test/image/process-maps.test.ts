import assert from 'node:assert/strict';
import { isPageTouched, parseProcessMaps } from '../../src/image/process-maps.ts';
import { TouchedPages } from '../../src/image/touched-pages.ts';
import { suite } from '../support/suite.ts';

const test = suite('process maps');

const maps = `55c878506000-55c87850a000 r--p 00001000 00:27 9980216                    /usr/bin/my app
55c87850a000-55c87851d000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000001000 r--p 00000000 00:27 12                         /lib/old.so (deleted)
7f0000002000-7f0000003000 rw-s 00000000 00:01 1024                       /memfd:x (deleted)
7f0000004000-7f0000006000 r-xp 00002000 fe:01 77                         /lib/a\\012b.so
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

test('keeps the mappings of files that are still there', () => {
  assert.deepEqual(parseProcessMaps(maps), [
    { startAddress: 0x55c878506000, endAddress: 0x55c87850a000, offset: 0x1000, path: '/usr/bin/my app' },
    { startAddress: 0x7f0000004000, endAddress: 0x7f0000006000, offset: 0x2000, path: '/lib/a\nb.so' },
  ]);
});

/** A pagemap excerpt with an entry per letter: p = present, s = swapped, o = soft-dirty only, . = nothing. */
const pagemap = (letters: string): Uint8Array => {
  const view = new DataView(new ArrayBuffer(letters.length * 8));
  const bit = { p: 1n << 63n, s: 1n << 62n, o: 1n << 55n } as const;
  for (const [index, letter] of letters.split('').entries())
    view.setBigUint64(index * 8, letter === 'p' || letter === 's' || letter === 'o' ? bit[letter] : 0n, true);
  return new Uint8Array(view.buffer);
};

test('counts present and swapped pages as touched, and nothing else', () => {
  const excerpt = pagemap('p.so');
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => isPageTouched(excerpt, index)),
    [true, false, true, false, false],
  );
});

test('gives runs of newly touched pages as file ranges, each once', () => {
  const touched = new TouchedPages(4096);
  const mapping = { startAddress: 0, endAddress: 6 * 4096, offset: 8192, path: '/a' };
  assert.deepEqual(touched.add(mapping, pagemap('pp..p.')), [
    { path: '/a', offset: 8192, length: 8192 },
    { path: '/a', offset: 8192 + 4 * 4096, length: 4096 },
  ]);
  assert.deepEqual(touched.add(mapping, pagemap('pppsp.')), [
    { path: '/a', offset: 8192 + 2 * 4096, length: 8192 },
  ]);
  assert.deepEqual(touched.add(mapping, pagemap('pppsp.')), []);
  // A second mapping of the same file at another offset (data segment) knows the same pages.
  assert.deepEqual(touched.add({ ...mapping, offset: 4096 }, pagemap('pp....')), [
    { path: '/a', offset: 4096, length: 4096 },
  ]);
});
