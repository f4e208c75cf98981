import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { applyLayer, type AppliedLayer } from '../../src/image/apply-layer.ts';
import { layerEntries } from '../../src/image/layer-entries.ts';
import { mediaTypes } from '../../src/image/manifest.ts';
import { streamOf, tarOf, type TarMember } from '../support/sample-image.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';
import { requireRoot, requireTool } from '../support/tool.ts';

const test = suite('apply layer');

const apply = async (root: string, members: readonly TarMember[]): Promise<AppliedLayer> =>
  await applyLayer(layerEntries(streamOf(await tarOf(members)), mediaTypes.ociLayer), root);

const read = (root: string, name: string): string => readFileSync(path.join(root, name), 'utf8');

test('gives files their modes, times and links', async () => {
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'root');
  await apply(root, [
    { name: 'd/', type: 'directory', mode: 0o555, mtime: new Date(1_600_000_000_000) },
    { name: 'd/tool', mode: 0o4755, content: 'x' },
    { name: 'd/empty', mode: 0o600 },
    { name: 'd/again', type: 'link', linkname: 'd/tool' },
    { name: 'd/soft', type: 'symlink', linkname: 'tool' },
  ]);
  assert.equal(statSync(path.join(root, 'd/tool')).mode & 0o7777, 0o4755);
  assert.equal(statSync(path.join(root, 'd/tool')).mtimeMs, 1_700_000_000_000);
  assert.equal(statSync(path.join(root, 'd/tool')).ino, statSync(path.join(root, 'd/again')).ino);
  assert.equal(readlinkSync(path.join(root, 'd/soft')), 'tool');
  assert.equal(statSync(path.join(root, 'd')).mode & 0o7777, 0o555);
  assert.equal(statSync(path.join(root, 'd')).mtimeMs, 1_600_000_000_000);
});

test('whiteouts and opaque directories act on lower layers only', async () => {
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'root');
  await apply(root, [
    { name: 'a/gone', content: '1' },
    { name: 'a/kept', content: '1' },
    { name: 'o/old', content: '1' },
    { name: 'o/sub/old', content: '1' },
    { name: 'tree/x/y', content: '1' },
  ]);
  await apply(root, [
    { name: 'a/.wh.gone' },
    { name: 'a/.wh.never' },
    { name: 'missing/.wh.x' },
    { name: 'o/new', content: '2' },
    { name: 'o/sub/new', content: '2' },
    { name: 'o/.wh..wh..opq' },
    { name: 'tree/z', content: '2' },
    { name: '.wh.tree' },
  ]);
  assert.deepEqual(readdirSync(path.join(root, 'a')), ['kept']);
  assert.deepEqual(readdirSync(path.join(root, 'o')), ['new', 'sub']);
  assert.deepEqual(readdirSync(path.join(root, 'o/sub')), ['new']);
  assert.deepEqual(readdirSync(path.join(root, 'tree')), ['z']);
  assert.deepEqual(readdirSync(root).sort(), ['a', 'o', 'tree']);
});

test('files, directories and links replace each other; hard links reach lower layers', async () => {
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'root');
  await apply(root, [
    { name: 'x/inner', content: '1' },
    { name: 'y', content: '1' },
    { name: 'lower', content: 'low' },
  ]);
  await apply(root, [
    { name: 'x', content: 'now a file' },
    { name: 'y/', type: 'directory' },
    { name: 'y/inner', content: '2' },
    { name: 'z', type: 'link', linkname: 'lower' },
  ]);
  assert.equal(read(root, 'x'), 'now a file');
  assert.equal(read(root, 'y/inner'), '2');
  assert.equal(read(root, 'z'), 'low');
});

test('never follows a symbolic link out of the root', async () => {
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'root');
  const outside = path.join(scratch.path, 'outside');
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'passwd'), 'untouched');
  const mode = statSync(outside).mode;
  await apply(root, [
    { name: 'a', type: 'symlink', linkname: outside },
    { name: 'a/passwd', content: 'inside' },
    { name: 'up', type: 'symlink', linkname: '../../../../..' },
    { name: 'up/climbed', content: 'inside' },
    { name: 'f', type: 'symlink', linkname: path.join(outside, 'passwd') },
    { name: 'f', content: 'replaced' },
    { name: 'hard', type: 'link', linkname: 'a/passwd' },
    { name: 'dir/', type: 'directory', mode: 0o700 },
    { name: 'dir', type: 'symlink', linkname: outside },
  ]);
  assert.equal(read(outside, 'passwd'), 'untouched');
  assert.deepEqual(readdirSync(outside), ['passwd']);
  assert.equal(statSync(outside).mode, mode);
  // As in a chroot, the link leads to the same path below the root.
  assert.equal(read(root, path.join(outside, 'passwd')), 'inside');
  assert.equal(read(root, 'climbed'), 'inside');
  assert.equal(read(root, 'f'), 'replaced');
  assert.equal(read(root, 'hard'), 'inside');
  assert.ok(lstatSync(path.join(root, 'dir')).isSymbolicLink());
  await apply(root, [{ name: 'a/.wh.passwd' }, { name: 'dir/.wh..wh..opq' }]);
  assert.deepEqual(readdirSync(outside), ['passwd']);
});

test('refuses links that go round, and hard links to nothing', async () => {
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'root');
  const code = (wanted: string) => (error: unknown) => error instanceof HarnessError && error.code === wanted;
  const round: TarMember[] = [
    { name: 'p', type: 'symlink', linkname: 'q' },
    { name: 'q', type: 'symlink', linkname: 'p' },
    { name: 'p/x', content: '1' },
  ];
  await assert.rejects(apply(root, round), code('LAYER_UNSAFE'));
  await assert.rejects(
    apply(root, [{ name: 'h', type: 'link', linkname: 'nowhere' }]),
    code('IMAGE_CORRUPT'),
  );
});

test('makes device nodes and owners when root', async () => {
  requireRoot();
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'root');
  const result = await apply(root, [
    { name: 'null', type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666 },
    { name: 'pipe', type: 'fifo', mode: 0o640 },
    { name: 'owned', uid: 1234, gid: 4321, content: 'x' },
  ]);
  assert.deepEqual(
    [statSync(path.join(root, 'owned')).uid, statSync(path.join(root, 'owned')).gid],
    [1234, 4321],
  );
  assert.ok(lstatSync(path.join(root, 'pipe')).isFIFO());
  // A container without CAP_MKNOD may not make devices: then it must be said.
  const isMade = lstatSync(path.join(root, 'null'), { throwIfNoEntry: false })?.isCharacterDevice() === true;
  assert.equal(result.skipped.length, isMade ? 0 : 1);
});

test('says that the disk is full', async () => {
  requireRoot();
  const mount = requireTool('mount');
  await using scratch = await scratchDirectory();
  const root = path.join(scratch.path, 'small');
  mkdirSync(root);
  execFileSync(mount, ['-t', 'tmpfs', '-o', 'size=64k', 'none', root]);
  try {
    await assert.rejects(
      apply(root, [{ name: 'big', content: Buffer.alloc(200_000, 1) }]),
      (error) => error instanceof HarnessError && error.code === 'DISK_FULL',
    );
  } finally {
    execFileSync(requireTool('umount'), [root]);
  }
});
