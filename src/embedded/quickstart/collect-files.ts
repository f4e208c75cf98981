import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { LayerItem } from './layer-item.ts';

const item = async (file: string, target: string): Promise<readonly LayerItem[]> => {
  const stats = await lstat(file);
  if (!stats.isFile()) return [];
  // An image's files are readable by everyone whatever the umask of the one who installed them here was.
  const mode = (stats.mode & 0o111) === 0 ? 0o644 : 0o755;
  const content = { file, mtimeMs: stats.mtimeMs };
  return [{ kind: 'file', path: target, mode, sizeBytes: stats.size, content }];
};

/** One file of this machine as an item at `target`; nothing when it does not exist. */
export async function collectFile(file: string, target: string): Promise<readonly LayerItem[]> {
  try {
    return await item(file, target);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * All regular files below `folder` as items below `target`; nothing when there is no such folder.
 *
 * @param enters - Says whether to go into a folder, given its path relative to `folder`.
 */
export async function collectFolder(
  folder: string,
  target: string,
  enters: (relative: string) => boolean = () => true,
): Promise<readonly LayerItem[]> {
  const walk = async (relative: string): Promise<readonly LayerItem[]> => {
    const entries = await readdir(path.join(folder, relative), { withFileTypes: true });
    const found = entries.map(async (entry): Promise<readonly LayerItem[]> => {
      const name = path.join(relative, entry.name);
      if (entry.isDirectory()) return enters(name) ? await walk(name) : [];
      const inImage = path.posix.join(target, name.split(path.sep).join('/'));
      return entry.isFile() ? await item(path.join(folder, name), inImage) : [];
    });
    return (await Promise.all(found)).flat();
  };
  try {
    return await walk('');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
