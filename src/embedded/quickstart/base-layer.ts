import { access, constants, lstat, readlink } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { collectFile } from './collect-files.ts';
import type { LayerDraft, LayerItem } from './layer-item.ts';

const reportShape = z.looseObject({ sharedObjects: z.array(z.string()) });

/** Shared objects that this process has loaded, by the names its dynamic linker knows; empty except on Linux. */
function loadedLibraries(): readonly string[] {
  if (process.platform !== 'linux') return [];
  // Without excludeNetwork (Node 22; not in its type declarations yet) the report resolves the names of all peers,
  // which may take seconds.
  const report = Object.assign(process.report, { excludeNetwork: true });
  const { sharedObjects } = reportShape.parse(report.getReport());
  return sharedObjects.filter((name) => /^\/.*\.so(\.[\d.]+)?$/u.test(name));
}

/**
 * The file behind a path together with every symlink on the way (`/lib` → `usr/lib`, `libx.so.1` → `libx.so.1.2`),
 * so that the name works inside the image too.
 */
async function withSymlinks(name: string): Promise<readonly LayerItem[]> {
  const items: LayerItem[] = [];
  const pending = name.split('/').reverse();
  let here = '';
  for (let segment = pending.pop(); segment !== undefined; segment = pending.pop()) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      here = path.posix.dirname(here);
      if (here === '/') here = '';
      continue;
    }
    const next = `${here}/${segment}`;
    if (!(await lstat(next)).isSymbolicLink()) {
      here = next;
      continue;
    }
    const target = await readlink(next);
    items.push({ kind: 'symlink', path: next.slice(1), target });
    if (target.startsWith('/')) here = '';
    pending.push(...target.split('/').reverse());
    if (items.length > 40) throw new Error(`${name}: too many symlinks`);
  }
  return [...items, ...(await collectFile(here, here.slice(1)))];
}

const systemFiles = ['/etc/os-release', '/etc/debian_version', '/etc/ssl/certs/ca-certificates.crt'];

const isPresent = async (name: string): Promise<boolean> =>
  await access(name, constants.R_OK).then(
    () => true,
    () => false,
  );

/**
 * What the running Node needs of this machine's system: the dynamic linker and the shared libraries that it has
 * loaded, under their own paths, with the files that tell the system's name and its certificate authorities.
 */
export async function baseLayer(): Promise<LayerDraft> {
  const names = process.platform === 'linux' ? [...loadedLibraries(), ...systemFiles] : [];
  const present = await Promise.all(
    names.map(async (name) => ((await isPresent(name)) ? await withSymlinks(name) : [])),
  );
  return {
    name: 'base',
    createdBy: 'ADD the shared libraries of the running Node from this machine',
    items: present.flat(),
  };
}
