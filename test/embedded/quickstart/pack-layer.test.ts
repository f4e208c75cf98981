import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { textFile, type LayerItem } from '../../../src/embedded/quickstart/layer-item.ts';
import { packLayer } from '../../../src/embedded/quickstart/pack-layer.ts';
import { readTestLayer } from '../../support/read-test-layer.ts';
import { suite } from '../../support/suite.ts';

const test = suite('pack layer');

let folder = '';
test.before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lazybench-pack-'));
});
test.after(async () => await rm(folder, { recursive: true, force: true }));

const large = 9 * 1024 * 1024;
const items = async (): Promise<readonly LayerItem[]> => {
  const file = path.join(folder, 'large.bin');
  await writeFile(file, Buffer.alloc(large, 'lazy'));
  return [
    { kind: 'hardlink', path: 'a/first', target: 'z/script' },
    textFile('z/script', '#!/bin/sh\n', 0o755),
    { kind: 'symlink', path: 'bin', target: 'usr/bin' },
    { kind: 'whiteout', path: 'app/docs' },
    { kind: 'file', path: 'usr/bin/large', mode: 0o755, sizeBytes: large, content: { file, mtimeMs: 0 } },
    textFile('empty', ''),
  ];
};

test('writes parents first, hard links after their file, whiteouts by their OCI name', async () => {
  const out = path.join(folder, 'layer');
  let packedBytes = 0;
  const layer = await packLayer(await items(), out, (count) => (packedBytes += count));
  const bytes = await readFile(out);
  const tar = gunzipSync(bytes);
  assert.equal(layer.sizeBytes, bytes.length);
  assert.equal(layer.digest, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  assert.equal(layer.diffId, `sha256:${createHash('sha256').update(tar).digest('hex')}`);
  assert.equal(packedBytes, tar.length);
  const entries = await readTestLayer(out);
  assert.deepEqual(
    entries.map(({ type, name, linkname }) => `${type} ${name}${linkname === '' ? '' : ` -> ${linkname}`}`),
    [
      'directory a/',
      'directory app/',
      'file app/.wh.docs',
      'symlink bin -> usr/bin',
      'file empty',
      'directory usr/',
      'directory usr/bin/',
      'file usr/bin/large',
      'directory z/',
      'file z/script',
      'link a/first -> z/script',
    ],
  );
  assert.equal(entries.find(({ name }) => name === 'usr/bin/large')?.sizeBytes, large);
});

test('gives equal digests for equal content, whatever the times and the order', async () => {
  const first = await packLayer(await items(), path.join(folder, 'one'), () => undefined);
  await utimes(path.join(folder, 'large.bin'), 1000, 1000);
  const second = await packLayer([...(await items())].reverse(), path.join(folder, 'two'), () => undefined);
  assert.deepEqual(second, first);
});

test('rejects when a file has gone or has changed its size, and when it is aborted', async () => {
  const gone: LayerItem = {
    kind: 'file',
    path: 'x',
    mode: 0o644,
    sizeBytes: large,
    content: { file: path.join(folder, 'gone'), mtimeMs: 0 },
  };
  const pack = async (item: LayerItem, signal?: AbortSignal): Promise<unknown> =>
    await packLayer([item], path.join(folder, 'bad'), () => undefined, signal);
  await assert.rejects(pack(gone), { code: 'ENOENT' });
  await assert.rejects(pack({ ...gone, sizeBytes: 10 }), { code: 'ENOENT' });
  const grown = path.join(folder, 'grown');
  await writeFile(grown, Buffer.alloc(large + 5));
  await assert.rejects(pack({ ...gone, content: { file: grown, mtimeMs: 0 } }), /Size mismatch/u);
  await assert.rejects(pack(gone, AbortSignal.abort(new Error('stopped'))), /stopped/u);
});
