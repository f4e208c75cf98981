import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildQuickstartImage, type QuickstartImage } from '../../src/embedded/quickstart-image.ts';
import { imageManifest } from '../../src/image/manifest.ts';
import { parseTrace } from '../../src/image/read-trace.ts';
import { readTestLayer } from '../support/read-test-layer.ts';
import { suite } from '../support/suite.ts';
import { requireTool } from '../support/tool.ts';

const test = suite('quickstart image');

let directory = '';
let image: QuickstartImage;
let lastPackedBytes = 0;
let totalBytes = 0;

test.before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lazybench-quickstart-'));
  image = await buildQuickstartImage({
    directory,
    onProgress: (progress) => {
      assert.ok(progress.packedBytes >= lastPackedBytes && progress.packedBytes <= progress.totalBytes);
      ({ packedBytes: lastPackedBytes, totalBytes } = progress);
    },
  });
});
test.after(async () => await rm(directory, { recursive: true, force: true }));

const blob = (digest: string): string => path.join(image.layoutPath, 'blobs', digest.replace(':', '/'));
const layers = async () =>
  imageManifest.parse(JSON.parse(await readFile(blob(image.manifestDigest), 'utf8'))).layers;

/** Regular files of the image with their sizes, after whiteouts. */
async function imageFiles(): Promise<ReadonlyMap<string, number>> {
  const files = new Map<string, number>();
  for (const { digest } of await layers()) {
    const entries = await readTestLayer(blob(digest));
    for (const { name } of entries) {
      const [, folder = '', hidden] = /^(.*\/)?\.wh\.([^/]+)$/u.exec(name) ?? [];
      if (hidden === undefined) continue;
      const gone = folder + hidden;
      for (const file of files.keys()) if (file === gone || file.startsWith(`${gone}/`)) files.delete(file);
    }
    for (const { type, name, linkname, sizeBytes } of entries) {
      if (type === 'file' && !path.basename(name).startsWith('.wh.')) files.set(name, sizeBytes);
      if (type === 'link') files.set(name, files.get(linkname) ?? Number.NaN);
    }
  }
  return files;
}

test('has four layers of real files, with whiteouts and a hard link', async () => {
  assert.equal(image.layerCount, 4);
  assert.equal(image.isFromCache, false);
  assert.ok(image.compressedBytes > 30e6 && image.compressedBytes < 90e6, String(image.compressedBytes));
  assert.equal(lastPackedBytes, totalBytes);
  const files = await imageFiles();
  assert.ok(files.has('app/node_modules/@kubernetes/client-node/package.json'));
  assert.deepEqual(
    [...files.keys()].filter((file) => /\.(?:md|map)$/u.test(file)),
    [],
  );
  assert.equal(files.get('usr/local/bin/quickstart-server'), files.get('app/server.mjs'));
});

test('holds at least 98 % of what its recorded program reads', async () => {
  const file = path.join(import.meta.dirname, '../../scenarios/quickstart.trace.jsonl');
  const trace = parseTrace(await readFile(file, 'utf8'), file);
  const files = await imageFiles();
  const accesses = trace.steps.filter((step) => step.kind !== 'log');
  const resolved = accesses.filter((step) => (files.get(step.path) ?? 0) > step.offset);
  assert.ok(accesses.length > 500, `${accesses.length} accesses`);
  const share = resolved.length / accesses.length;
  assert.ok(
    share >= 0.98,
    `only ${(share * 100).toFixed(1)} %: record it again (docs/traces.md); the first miss is ` +
      String(accesses.find((step) => !resolved.includes(step))?.path),
  );
  assert.ok(trace.steps.some((step) => step.kind === 'log' && step.line.startsWith('ready')));
});

test('is used again when nothing has changed, and built anew when a blob is damaged', async () => {
  const again = await buildQuickstartImage({ directory });
  assert.deepEqual(again, { ...image, isFromCache: true });
  const [smallest] = [...(await layers())].sort((a, b) => a.size - b.size);
  await truncate(blob(smallest?.digest ?? ''), 10);
  const repaired = await buildQuickstartImage({ directory });
  assert.deepEqual(repaired, image);
});

test('is an image to skopeo as well', async () => {
  const skopeo = requireTool('skopeo');
  const copy = path.join(directory, 'copied');
  // A copy with format conversion off still checks each blob against its digest.
  await promisify(execFile)(skopeo, ['copy', '--quiet', `oci:${image.layoutPath}:latest`, `dir:${copy}`]);
  const { stdout } = await promisify(execFile)(skopeo, ['manifest-digest', path.join(copy, 'manifest.json')]);
  assert.equal(stdout.trim(), image.manifestDigest);
  await rm(copy, { recursive: true });
});

test('leaves nothing behind when it is stopped', async () => {
  const elsewhere = path.join(directory, 'stopped');
  const stopper = new AbortController();
  const building = buildQuickstartImage({
    directory: elsewhere,
    signal: stopper.signal,
    onProgress: () => stopper.abort(new Error('enough')),
  });
  await assert.rejects(building, /enough/u);
  assert.deepEqual(await readdir(elsewhere), []);
});

test('says in one sentence that its folder cannot be written to', async () => {
  const blocked = path.join(directory, 'file');
  await writeFile(blocked, '');
  await assert.rejects(buildQuickstartImage({ directory: path.join(blocked, 'cache') }), {
    code: 'OUTPUT_UNWRITABLE',
  });
});
