import path from 'node:path';
import process from 'node:process';
import { collectFile, collectFolder } from './collect-files.ts';
import type { LayerDraft } from './layer-item.ts';

/** The running Node as `/usr/local/bin/node`, with the headers and documentation of its distribution if they are there. */
export async function nodeLayer(): Promise<LayerDraft> {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  // OpenSSL's headers for every other architecture: the official slim images leave them out as well.
  const isWanted = (relative: string): boolean => relative !== path.join('openssl', 'archs');
  const parts = await Promise.all([
    collectFile(process.execPath, 'usr/local/bin/node'),
    collectFolder(path.join(prefix, 'include/node'), 'usr/local/include/node', isWanted),
    collectFolder(path.join(prefix, 'share/doc/node'), 'usr/local/share/doc/node'),
    collectFile(path.join(prefix, 'LICENSE'), 'usr/local/LICENSE'),
  ]);
  return {
    name: 'node',
    createdBy: `ADD node-${process.version} /usr/local`,
    items: [...parts.flat(), { kind: 'symlink', path: 'usr/local/bin/nodejs', target: 'node' }],
  };
}
