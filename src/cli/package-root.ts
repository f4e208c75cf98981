import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Folder of the installed package: the nearest one above this file with lazybench's package.json. */
export function packageRoot(): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    if (readManifest(folder)?.name === 'lazybench') return folder;
    if (folder === path.dirname(folder)) throw new Error('package.json of lazybench is missing');
  }
}

/** lazybench's own version. */
export const packageVersion = (): string => readManifest(packageRoot())?.version ?? 'unknown';

/** By hand: `--help` needs the version, and must not wait for a schema library. */
function readManifest(folder: string): { readonly name: string; readonly version: string } | undefined {
  const file = path.join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof json !== 'object' || json === null || !('name' in json) || !('version' in json))
    return undefined;
  return { name: String(json.name), version: String(json.version) };
}
