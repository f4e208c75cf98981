// Builds what the package ships: dist/cli.js (with its lazily loaded parts) and the report's browser code.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { buildReportClient } from './report-client.ts';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const [client] = await Promise.all([
  buildReportClient(),
  build({
    entryPoints: { cli: path.join(root, 'src/cli/main.ts') },
    outdir: dist,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    // Node 22 has no `using`: esbuild lowers it.
    target: 'node22.19',
    packages: 'external',
    sourcemap: false,
    logLevel: 'warning',
  }),
]);
await writeFile(path.join(dist, 'report-client.js'), client.script);
await writeFile(path.join(dist, 'report-client.css'), client.style);
