import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UnpackedRoot } from '../../../src/embedded/engine/unpacked-root.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { suite } from '../../support/suite.ts';

const test = suite('unpacked root');

test('symlinks are resolved inside the root and nowhere else', async () => {
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'root');
  await mkdir(path.join(root, 'usr/lib'), { recursive: true });
  await mkdir(path.join(root, 'etc'));
  await writeFile(path.join(root, 'usr/lib/a.so'), 'abc');
  await writeFile(path.join(scratch.path, 'secret'), 'outside');
  await symlink('usr/lib', path.join(root, 'lib'));
  await symlink('/usr/lib/a.so', path.join(root, 'etc/absolute'));
  await symlink('../../../../usr/lib/a.so', path.join(root, 'etc/climbing'));
  await symlink('../secret', path.join(root, 'escape'));
  await symlink('loop', path.join(root, 'loop'));
  const files = new UnpackedRoot(root, 'overlayfs');
  const sizes = [
    '/usr/lib/a.so',
    '/lib/a.so',
    '/etc/absolute',
    '/etc/climbing',
    '//lib/./../lib/a.so',
    '/escape',
    '/loop',
    '/lib',
    '/usr/lib/a.so/x',
    '/none',
  ].map((each) => files.open(each)?.sizeBytes);
  assert.deepEqual(sizes, [3, 3, 3, 3, 3, undefined, undefined, undefined, undefined, undefined]);
  assert.deepEqual([...files.regularFiles()], ['/usr/lib/a.so']);
  files.close();
});

test('more files than handles can be open at once are read all the same', async () => {
  await using scratch = await scratchDirectory();
  const names = Array.from({ length: 300 }, (_, k) => `/f${String(k)}`);
  for (const [k, name] of names.entries())
    await writeFile(path.join(scratch.path, name), Buffer.alloc(k + 1));
  const files = new UnpackedRoot(scratch.path, 'overlayfs');
  const opened = names.map((name) => files.open(name));
  const { signal } = new AbortController();
  for (const [k, file] of opened.entries()) {
    assert.equal(file?.sizeBytes, k + 1);
    assert.equal(file.read(0, k + 1, signal), undefined);
    assert.throws(() => file.read(0, k + 2, signal), /ended early/u);
  }
  files.close();
});
