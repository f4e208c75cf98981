// Reading a whole bootstrap: our check against `nydus-image check`, process start included. Ours is bundled
// first, as in a release: stripping types at start would cost more than the check itself.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { requireTool } from '../support/tool.ts';
import { alternate } from './alternate.ts';

const directories = 300;
const filesPerDirectory = 110;
const work = await mkdtemp(path.join(tmpdir(), 'lazybench-bench-'));
try {
  for (let d = 0; d < directories; d += 1) {
    const directory = path.join(work, 'tree', `package-${String(d)}`);
    await mkdir(directory, { recursive: true });
    for (let f = 0; f < filesPerDirectory; f += 1)
      await writeFile(
        path.join(directory, `module-${String(f)}.js`),
        `export const x = ${String(d * 1000 + f)};\n`,
      );
  }
  const nydusImage = requireTool('nydus-image');
  const boot = path.join(work, 'image.boot');
  const source = path.join(work, 'tree');
  execFileSync(nydusImage, [
    'create',
    '--log-level',
    'error',
    '--blob',
    `${boot}.blob`,
    '--bootstrap',
    boot,
    source,
  ]);
  const bundle = path.join(work, 'check.mjs');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'check-once.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: bundle,
    logLevel: 'error',
  });
  alternate(
    `check a bootstrap of ${String(directories * (filesPerDirectory + 1) + 1)} inodes`,
    { name: 'lazybench', command: [process.execPath, bundle, boot] },
    { name: 'nydus-image check', command: [nydusImage, 'check', '--bootstrap', boot] },
    7,
    1,
  );
} finally {
  await rm(work, { recursive: true });
}
