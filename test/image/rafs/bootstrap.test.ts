import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { HarnessError } from '../../../src/errors/harness-error.ts';
import { parseBootstrap } from '../../../src/image/rafs/bootstrap.ts';
import { checkBootstrap } from '../../../src/image/rafs/check-bootstrap.ts';
import { convertLayers } from '../../../src/image/rafs/convert-layers.ts';
import { suite } from '../../support/suite.ts';
import { entry, layerOf } from './layer-fixture.ts';

const test = suite('bootstrap');

let work = '';
let bytes: Buffer = Buffer.alloc(0);

test.before(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'lazybench-bootstrap-'));
  const many = Array.from({ length: 700 }, (_, index) =>
    entry.file(`many/file-${String(index).padStart(5, '0')}`, String(index)),
  );
  const result = await convertLayers(
    [
      layerOf(
        entry.directory(''),
        entry.file('usr/bin/env', 'x'.repeat(10_000), { mode: 0o4755, uid: 7, gid: 70_000, mtimeNs: 5 }),
        entry.symlink('bin', 'usr/bin'),
        entry.symlink('usr/bin/up', '/bin/../../../bin/env'),
        entry.symlink('loop', 'loop'),
        entry.symlink('long', 'y'.repeat(4095)),
        entry.hardlink('usr/bin/env2', 'bin/env'),
        entry.device('dev/null', 'character', 1, 3),
        entry.fifo('pipe'),
        entry.file('capable', 'c', { xattrs: new Map([['security.capability', Buffer.alloc(20, 1)]]) }),
        ...many,
      ),
    ],
    { workDirectory: work, chunkSizeBytes: 4096, prefetch: ['/bin/env', '/nowhere'] },
  );
  bytes = result.bootstrap;
  assert.deepEqual(result.missingPrefetchPaths, ['/nowhere']);
});
test.after(() => rm(work, { recursive: true, force: true }));

test('finds files through symlinks as the kernel does inside the root', () => {
  const bootstrap = parseBootstrap(bytes);
  const env = bootstrap.lookup('/usr/bin/env');
  assert.equal(env?.mode, 0o104755);
  assert.equal(env.gid, 70_000);
  assert.equal(env.linkCount, 2);
  assert.equal(env.mtimeNs, 5);
  for (const name of ['bin/env', '/bin/up', '/../bin/./env2', 'bin//env'])
    assert.equal(bootstrap.lookup(name)?.nid, env.nid, name);
  assert.equal(bootstrap.lookup('/bin/up', { followLast: false })?.kind, 'symlink');
  assert.deepEqual(bootstrap.prefetchNids, [env.nid]);
});

test('finds nothing below a file, behind a symlink loop and under an unknown name', () => {
  const bootstrap = parseBootstrap(bytes);
  for (const name of ['/usr/bin/env/x', '/loop', '/loop/x', '/many/file-', '/zzz', '/long'])
    assert.equal(bootstrap.lookup(name), undefined, name);
});

test('finds each of 700 names of a directory of several blocks', () => {
  const bootstrap = parseBootstrap(bytes);
  for (let index = 0; index < 700; index += 1)
    assert.equal(bootstrap.lookup(`/many/file-${String(index).padStart(5, '0')}`)?.kind, 'file');
});

test('gives chunks, attributes and targets back as they were written', () => {
  const bootstrap = parseBootstrap(bytes);
  const env = bootstrap.lookup('/usr/bin/env');
  assert.ok(env);
  const chunks = bootstrap.chunksOf(env);
  assert.deepEqual(
    chunks.map(({ fileOffset, uncompressedSizeBytes }) => [fileOffset, uncompressedSizeBytes]),
    [
      [0, 4096],
      [4096, 4096],
      [8192, 1808],
    ],
  );
  assert.equal(chunks[0]?.chunkId, chunks[1]?.chunkId, 'equal content is stored once');
  const capable = bootstrap.lookup('/capable');
  assert.ok(capable);
  assert.deepEqual([...bootstrap.xattrs(capable).keys()], ['security.capability']);
  const long = bootstrap.lookup('/long', { followLast: false });
  assert.ok(long);
  assert.equal(bootstrap.linkTarget(long), 'y'.repeat(4095));
});

test('a check counts every inode once', () => {
  const summary = checkBootstrap(bytes);
  assert.equal(summary.inodes.file, 702);
  assert.equal(summary.nameCount, summary.inodeCount + 1);
  assert.equal(summary.blobCount, 1);
});

test('names RAFS v5 and Nydus v3, which it does not read', () => {
  const v5 = Buffer.alloc(8192);
  v5.writeUInt32LE(0x52414653, 0);
  v5.writeUInt32LE(0x500, 4);
  assert.throws(() => parseBootstrap(v5), { code: 'IMAGE_UNSUPPORTED', message: /RAFS v5/ });
  const v3 = Buffer.from(bytes);
  v3.writeUInt32LE(3, 1024 + 8);
  v3.writeUInt16LE(9, 1024 + 88);
  assert.throws(() => parseBootstrap(v3), { code: 'IMAGE_UNSUPPORTED', message: /version 7/ });
});

const onlyExpectedErrors = (hostile: Uint8Array): void => {
  try {
    checkBootstrap(hostile);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    assert.ok(['BOOTSTRAP_INVALID', 'IMAGE_UNSUPPORTED'].includes(error.code), error.code);
  }
};

test('reads or refuses damaged bootstraps, and does nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
      (changes) => {
        const hostile = Buffer.from(bytes);
        for (const [at, value] of changes) hostile[at] = value;
        onlyExpectedErrors(hostile);
      },
    ),
    { numRuns: 200 },
  );
});

test('reads or refuses damaged superblocks, tables and inodes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(16_383), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.nat(bytes.length),
      fc.boolean(),
      (changes, length, isCut) => {
        const hostile = Buffer.from(isCut ? bytes.subarray(0, length) : bytes);
        for (const [at, value] of changes) if (at < hostile.length) hostile[at] = value;
        onlyExpectedErrors(hostile);
      },
    ),
    { numRuns: 300 },
  );
});

test('refuses a directory that contains itself', () => {
  const hostile = Buffer.from(bytes);
  const bootstrap = parseBootstrap(bytes);
  // In the root's inline data, give `dev` the root's own nid.
  const { tailOffset } = bootstrap.root;
  const index = bootstrap.entries(bootstrap.root).findIndex(({ name }) => name === 'dev');
  hostile.writeBigUInt64LE(BigInt(bootstrap.root.nid), tailOffset + index * 12);
  assert.throws(() => [...parseBootstrap(hostile).walk()], {
    code: 'BOOTSTRAP_INVALID',
    message: /two names/,
  });
});
