// The real programs as judges: nydus-image, fsck.erofs and a nydusd mount of what the writer makes; the reader on
// what nydus-image makes.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  lstat,
  readlink,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { layerEntries } from '../../../src/image/layer-entries.ts';
import { decodeBlobMeta, decodeBlobMetaHeader, metaHeaderBytes } from '../../../src/image/rafs/blob-meta.ts';
import { parseBootstrap, type Bootstrap } from '../../../src/image/rafs/bootstrap.ts';
import { checkBootstrap } from '../../../src/image/rafs/check-bootstrap.ts';
import { createChunkVerifier } from '../../../src/image/rafs/chunk-digest.ts';
import { convertLayers, type ConvertLayersOptions } from '../../../src/image/rafs/convert-layers.ts';
import { decodeChunk, type EncodedChunk } from '../../../src/image/rafs/decode-chunk.ts';
import type { Compressor } from '../../../src/image/rafs/layout.ts';
import { decodeToc } from '../../../src/image/rafs/toc.ts';
import { requireRoot, requireTool } from '../../support/tool.ts';
import { suite } from '../../support/suite.ts';

const test = suite('rafs oracles');
let work = '';
const at = (...parts: readonly string[]): string => path.join(work, ...parts);
const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const packTar = (directory: string, file: string): string =>
  run(
    'tar',
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '--sort=name',
    '-cf',
    file,
    '-C',
    directory,
    '.',
  );

/** Content that compresses partly, the same on every run. */
const content = (seed: string, sizeBytes: number): Buffer => {
  const parts: Buffer[] = [];
  for (let size = 0, index = 0; size < sizeBytes; size += 96, index += 1)
    parts.push(
      createHash('sha256')
        .update(`${seed}${String(index)}`)
        .digest(),
      Buffer.alloc(64, seed),
    );
  return Buffer.concat(parts).subarray(0, sizeBytes);
};

test.before(async () => {
  requireRoot();
  work = await mkdtemp(path.join(tmpdir(), 'lazybench-oracle-'));
  await mkdir(at('one/usr/lib/many'), { recursive: true });
  await mkdir(at('one/gone/deep'), { recursive: true });
  await mkdir(at('one/cleared'));
  await mkdir(at('one/dev'));
  await writeFile(at('one/usr/lib/big'), content('big', 3_500_000));
  await writeFile(at('one/usr/lib/small'), 'small');
  await writeFile(at('one/usr/lib/empty'), '');
  await writeFile(at('one/usr/lib', 'n'.repeat(255)), 'long name');
  await writeFile(at('one/usr/lib/naïve-名前'), 'unicode');
  for (let index = 0; index < 700; index += 1)
    await writeFile(at('one/usr/lib/many', `file-${String(index).padStart(5, '0')}`), `${String(index)}\n`);
  await writeFile(at('one/gone/deep/file'), 'gone');
  await writeFile(at('one/cleared/old'), content('old', 50_000));
  await writeFile(at('one/changed'), 'before');
  run('ln', at('one/usr/lib/big'), at('one/usr/lib/big-link'));
  run('ln', '-s', 'usr/lib', at('one/lib'));
  run('ln', '-s', `/${'t'.repeat(4000)}`, at('one/long-link'));
  run('mknod', at('one/dev/null'), 'c', '1', '3');
  run('mknod', at('one/dev/disk'), 'b', '259', '300');
  run('mkfifo', at('one/dev/pipe'));
  run('chown', '1000:70000', at('one/usr/lib/small'));
  run('chmod', '4755', at('one/usr/lib/small'));
  run(
    requireTool('python3'),
    '-c',
    'import os,sys; os.setxattr(sys.argv[1],"user.note",b"value")',
    at('one/usr/lib/small'),
  );
  await mkdir(at('two/cleared'), { recursive: true });
  await mkdir(at('two/usr/lib'), { recursive: true });
  await writeFile(at('two/.wh.gone'), '');
  await writeFile(at('two/cleared/.wh..wh..opq'), '');
  await writeFile(at('two/cleared/new'), content('new', 1_200_000));
  await writeFile(at('two/usr/lib/copy-of-big'), content('big', 3_500_000));
  await writeFile(at('two/usr/lib/.wh.empty'), '');
  await writeFile(at('two/changed'), 'after');
  packTar(at('one'), at('one.tar'));
  packTar(at('two'), at('two.tar'));
  // What the two layers make together, by hand.
  run('cp', '-a', at('one'), at('both'));
  await rm(at('both/gone'), { recursive: true });
  await rm(at('both/cleared/old'));
  run('cp', '-a', `${at('two')}/.`, at('both'));
  for (const whiteout of ['.wh.gone', 'cleared/.wh..wh..opq', 'usr/lib/.wh.empty', 'usr/lib/empty'])
    await rm(at('both', whiteout));
  // Removing by hand touched the directories.
  for (const directory of ['', 'cleared', 'usr/lib'])
    run('touch', '-r', at('two', directory), at('both', directory));
});
test.after(() => rm(work, { recursive: true, force: true }));

const convert = (name: string, tars: readonly string[], options: Partial<ConvertLayersOptions> = {}) =>
  convertLayers(
    tars.map((tar) => layerEntries(createReadStream(at(tar)), 'application/vnd.oci.image.layer.v1.tar')),
    { workDirectory: at(name), ...options },
  );

/** All names, without following symlinks (which readdir's recursive option does). */
async function namesBelow(root: string, prefix: string): Promise<string[]> {
  const names = [prefix];
  for (const child of await readdir(path.join(root, prefix), { withFileTypes: true })) {
    const name = path.join(prefix, child.name);
    names.push(...(child.isDirectory() ? await namesBelow(root, name) : [name]));
  }
  return names.sort();
}

/** Every file below `root`: type, mode, owner, size, device, target, content. */
async function describe(root: string, compare: { readonly owners: boolean }): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await namesBelow(root, '')) {
    const file = path.join(root, name);
    const stat = await lstat(file);
    const facts: (string | number)[] = [stat.mode.toString(8), stat.isDirectory() ? 0 : stat.size];
    if (compare.owners) facts.push(stat.uid, stat.gid, Math.floor(stat.mtimeMs / 1000));
    if (!stat.isDirectory()) facts.push(stat.nlink);
    if (stat.isCharacterDevice() || stat.isBlockDevice()) facts.push(stat.rdev);
    if (stat.isSymbolicLink()) facts.push(await readlink(file));
    if (stat.isFile())
      facts.push(
        createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
      );
    if (stat.isFile() && name.endsWith('small'))
      facts.push(
        run(requireTool('python3'), '-c', 'import os,sys; print(os.getxattr(sys.argv[1],"user.note"))', file),
      );
    found.set(name, facts.join(' '));
  }
  return found;
}

/** Mounts with the real nydusd, and undoes it whatever happens inside. */
async function whileMounted(
  bootstrap: string,
  blobs: string,
  body: (mount: string) => Promise<void>,
): Promise<void> {
  const mount = await mkdtemp(at('mount-'));
  const nydusd = spawn(
    requireTool('nydusd-lab'),
    ['--bootstrap', bootstrap, '--localfs-dir', blobs, '--mountpoint', mount, '--log-level', 'error'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  nydusd.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const exited = new Promise<void>((resolve) => nydusd.once('exit', () => resolve()));
  try {
    while ((await readdir(mount)).length === 0) {
      if (nydusd.exitCode !== null) throw new Error(`nydusd: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await body(mount);
  } finally {
    execFileSync('umount', ['-l', mount], { stdio: 'ignore' });
    nydusd.kill('SIGTERM');
    await exited;
  }
}

for (const compressor of ['zstd', 'none'] as const)
  test(`nydusd mounts a two-layer image (${compressor}) with every file as in the layers`, async () => {
    const image = await convert(`mounted-${compressor}`, ['one.tar', 'two.tar'], {
      compressor,
      prefetch: ['/'],
    });
    assert.equal(image.blobs.length, 2);
    const file = at(`mounted-${compressor}`, 'image.boot');
    await writeFile(file, image.bootstrap);
    run(requireTool('nydus-image'), 'check', '--bootstrap', file);
    checkBootstrap(image.bootstrap);
    await whileMounted(file, at(`mounted-${compressor}`), async (mount) => {
      assert.deepEqual(await describe(mount, { owners: true }), await describe(at('both'), { owners: true }));
    });
  });

/** The uncompressed device that EROFS reads: every chunk at its place. */
async function writeDevice(
  bootstrap: Bootstrap,
  blobIndex: number,
  blob: string,
  device: string,
): Promise<void> {
  const entry = bootstrap.blobs[blobIndex];
  assert.ok(entry);
  const verify = await createChunkVerifier(entry.digester);
  await using from = await open(blob);
  await using to = await open(device, 'w');
  await to.truncate(entry.uncompressedSizeBytes);
  for (const chunk of bootstrap.chunksOfBlob(blobIndex)) {
    const bytes = Buffer.alloc(chunk.compressedSizeBytes);
    await from.read(bytes, 0, bytes.length, chunk.compressedOffset);
    const plain = await decodeChunk(entry.compressor, chunk, bytes);
    verify(chunk, plain);
    await to.write(plain, 0, plain.length, chunk.uncompressedOffset);
  }
}

for (const chunkSizeBytes of [4096, 65_536, 2 ** 20])
  test(`fsck.erofs extracts a one-layer image with chunks of ${String(chunkSizeBytes)} bytes`, async () => {
    const name = `fsck-${String(chunkSizeBytes)}`;
    const image = await convert(name, ['one.tar'], { chunkSizeBytes });
    const [blob] = image.blobs;
    assert.ok(blob);
    await writeFile(at(name, 'image.boot'), image.bootstrap);
    await writeDevice(parseBootstrap(image.bootstrap), 0, blob.file, at(name, 'device'));
    run(
      requireTool('fsck.erofs'),
      `--device=${at(name, 'device')}`,
      `--extract=${at(name, 'out')}`,
      at(name, 'image.boot'),
    );
    const hash = async (root: string): Promise<string> =>
      createHash('sha256')
        .update(await readFile(path.join(root, 'usr/lib/big')))
        .digest('hex');
    assert.equal(await hash(at(name, 'out')), await hash(at('one')));
    assert.equal((await readdir(at(name, 'out/usr/lib/many'))).length, 700);
  });

test('blob id, table of contents and blob.meta agree with the file', async () => {
  const image = await convert('formats', ['one.tar']);
  const [blob] = image.blobs;
  const bootstrap = parseBootstrap(image.bootstrap);
  const [entry] = bootstrap.blobs;
  assert.ok(blob && entry);
  const bytes = await readFile(blob.file);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), entry.id);
  const toc = decodeToc(bytes) ?? [];
  assert.deepEqual(
    toc.map(({ name }) => name),
    ['image.blob', 'blob.meta', 'blob.meta.header', 'blob.digest'],
  );
  const metaEnd = entry.metaOffset + entry.metaCompressedSizeBytes;
  const header = decodeBlobMetaHeader(bytes.subarray(metaEnd, metaEnd + metaHeaderBytes));
  const packed: EncodedChunk = {
    chunkId: 0,
    isCompressed: entry.metaCompressor !== 'none',
    isEncrypted: false,
    isBatched: false,
    compressedSizeBytes: entry.metaCompressedSizeBytes,
    uncompressedSizeBytes: entry.metaUncompressedSizeBytes,
  };
  const meta = await decodeChunk(entry.metaCompressor, packed, bytes.subarray(entry.metaOffset, metaEnd));
  const chunks = bootstrap.chunksOfBlob(0);
  assert.deepEqual(
    decodeBlobMeta(meta, header).map((chunk) => chunk.compressedOffset),
    chunks.map((chunk) => chunk.compressedOffset),
  );
});

/** Reads a file of an image through bootstrap and blobs. */
async function readThrough(bootstrap: Bootstrap, blobs: string, name: string): Promise<string> {
  const inode = bootstrap.lookup(name);
  assert.ok(inode, name);
  const hash = createHash('sha256');
  for (const chunk of bootstrap.chunksOf(inode)) {
    const entry = bootstrap.blobs[chunk.blobIndex];
    assert.ok(entry);
    await using blob = await open(path.join(blobs, entry.id));
    const bytes = Buffer.alloc(chunk.compressedSizeBytes);
    await blob.read(bytes, 0, bytes.length, chunk.compressedOffset);
    const plain = await decodeChunk(entry.compressor, chunk, bytes);
    (await createChunkVerifier(entry.digester))(chunk, plain);
    hash.update(plain);
  }
  return hash.digest('hex');
}

const variants: readonly (readonly [
  compressor: Exclude<Compressor, 'gzip'>,
  digester: 'blake3' | 'sha256',
])[] = [
  ['none', 'sha256'],
  ['lz4_block', 'blake3'],
  ['zstd', 'blake3'],
];
for (const [compressor, digester] of variants)
  test(`reads what nydus-image creates and merges (${compressor}, ${digester})`, async () => {
    const name = `theirs-${compressor}`;
    await mkdir(at(name));
    const layers: string[] = [];
    for (const tar of ['one', 'two']) {
      const blob = at(name, `${tar}.blob`);
      run(
        requireTool('nydus-image'),
        ...['create', '--type', 'tar-rafs', '--whiteout-spec', 'none', '--log-level', 'error'],
        ...['--compressor', compressor, '--digester', digester, '--blob', blob],
        ...['--bootstrap', at(name, `${tar}.boot`), at(`${tar}.tar`)],
      );
      const id = createHash('sha256')
        .update(await readFile(blob))
        .digest('hex');
      await rename(blob, at(name, id));
      // merge takes a layer's blob id from the name of its bootstrap.
      await mkdir(at(name, 'boots'), { recursive: true });
      await rename(at(name, `${tar}.boot`), at(name, 'boots', id));
      layers.push(at(name, 'boots', id));
    }
    run(
      requireTool('nydus-image'),
      'merge',
      '--log-level',
      'error',
      '--bootstrap',
      at(name, 'image.boot'),
      ...layers,
    );
    const bytes = await readFile(at(name, 'image.boot'));
    checkBootstrap(bytes);
    const bootstrap = parseBootstrap(bytes);
    const expected = await describe(at('both'), { owners: true });
    const names = [...bootstrap.walk()].map(({ path: walked }) => walked.slice(1)).sort();
    assert.deepEqual(names, [...expected.keys()].sort());
    for (const file of ['usr/lib/big', 'usr/lib/small', 'cleared/new', 'usr/lib/copy-of-big', 'changed'])
      assert.equal(
        await readThrough(bootstrap, at(name), file),
        createHash('sha256')
          .update(await readFile(at('both', file)))
          .digest('hex'),
        file,
      );
  });
