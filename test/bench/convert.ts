// Converting one layer: our converter against `nydus-image create` on the same tar (node_modules, zstd).
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { requireTool } from '../support/tool.ts';
import { alternate } from './alternate.ts';

const root = path.resolve(import.meta.dirname, '../..');
const work = await mkdtemp(path.join(tmpdir(), 'lazybench-bench-'));
try {
  const tar = path.join(work, 'layer.tar');
  execFileSync('tar', ['-cf', tar, '-C', root, 'node_modules']);
  const { size } = await stat(tar);
  const create = [
    'create',
    '--type',
    'tar-rafs',
    '--log-level',
    'error',
    '--compressor',
    'zstd',
    '--digester',
    'sha256',
  ];
  alternate(
    `convert a tar of ${(size / 1e6).toFixed(0)} MB`,
    {
      name: 'lazybench',
      command: [
        process.execPath,
        path.join(import.meta.dirname, 'convert-once.ts'),
        tar,
        path.join(work, 'ours'),
      ],
    },
    {
      name: 'nydus-image create',
      command: [
        requireTool('nydus-image'),
        ...create,
        ...['--blob', path.join(work, 'blob'), '--bootstrap', path.join(work, 'boot'), tar],
      ],
    },
    3,
    2,
  );
} finally {
  await rm(work, { recursive: true });
}
