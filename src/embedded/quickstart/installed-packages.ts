import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const packageFile = z.looseObject({
  name: z.string(),
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).optional(),
});

/** An installed npm package, and where `npm ci` would put it. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Its folder on this machine. */
  readonly folder: string;
  /** Path below the application: `node_modules/a` or, for a second version, `node_modules/b/node_modules/a`. */
  readonly target: string;
}

const readPackage = async (folder: string): Promise<z.infer<typeof packageFile> | undefined> => {
  try {
    return packageFile.parse(JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return undefined;
    throw error;
  }
};

/** Node's own way to a package: node_modules of the folder, of its parent, and so on. */
async function resolveFolder(name: string, from: string): Promise<string | undefined> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', name);
    if (path.basename(folder) !== 'node_modules' && (await readPackage(candidate)) !== undefined)
      return await realpath(candidate);
    if (path.dirname(folder) === folder) return undefined;
  }
}

/** The folder of the package that a file belongs to: the nearest one above it whose package.json has a name and version. */
async function owningFolder(from: string): Promise<string> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if ((await readPackage(folder)) !== undefined) return folder;
    if (path.dirname(folder) === folder) throw new Error(`${from} belongs to no package`);
  }
}

/**
 * Finds the runtime dependencies of the package that `from` belongs to, and theirs, where they are really installed:
 * in the checkout, or hoisted beside the installed package. Optional ones that are not there are left out.
 */
export async function installedPackages(from: string): Promise<readonly InstalledPackage[]> {
  const root = await owningFolder(from);
  const placed = new Map<string, InstalledPackage>();
  const pending = [{ folder: root, target: '' }];
  for (let owner = pending.shift(); owner !== undefined; owner = pending.shift()) {
    const names = Object.keys((await readPackage(owner.folder))?.dependencies ?? {}).sort();
    for (const name of names) {
      const folder = await resolveFolder(name, owner.folder);
      if (folder === undefined) continue;
      const top = `node_modules/${name}`;
      const isTaken = placed.has(top) && placed.get(top)?.folder !== folder;
      const target = isTaken ? path.posix.join(owner.target, top) : top;
      if (placed.get(target)?.folder === folder) continue;
      const { version } = (await readPackage(folder)) ?? { version: '' };
      placed.set(target, { name, version, folder, target });
      pending.push({ folder, target });
    }
  }
  return [...placed.values()];
}
