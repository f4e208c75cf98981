import { lstatSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Recording } from '../../src/image/recorded-steps.ts';

const maxSymlinks = 40; // As the kernel: more is ELOOP.

/** Makes the lookup of regular files below `root`, following symlinks as a process chrooted there would. */
export function imageFiles(root: string): Recording['resolve'] {
  const lookUp = (pathInRoot: string): ReturnType<Recording['resolve']> => {
    const pending = pathInRoot.split('/').reverse();
    const found: string[] = [];
    let symlinks = 0;
    for (let segment = pending.pop(); segment !== undefined; segment = pending.pop()) {
      if (segment === '' || segment === '.') continue;
      if (segment === '..') {
        found.pop();
        continue;
      }
      const here = path.join(root, ...found, segment);
      const stats = lstatSync(here, { throwIfNoEntry: false });
      if (stats === undefined) return undefined;
      if (stats.isSymbolicLink()) {
        symlinks += 1;
        if (symlinks > maxSymlinks) return undefined;
        const target = readlinkSync(here);
        if (target.startsWith('/')) found.length = 0;
        pending.push(...target.split('/').reverse());
        continue;
      }
      found.push(segment);
      if (!stats.isDirectory() && pending.some((rest) => rest !== '')) return undefined;
      if (stats.isFile()) return { path: found.join('/'), sizeBytes: stats.size };
    }
    return undefined;
  };
  const known = new Map<string, ReturnType<Recording['resolve']>>();
  return (pathInRoot) => {
    if (known.has(pathInRoot)) return known.get(pathInRoot);
    const file = lookUp(pathInRoot);
    known.set(pathInRoot, file);
    return file;
  };
}
