import fs from 'node:fs/promises';
import os from 'node:os';

/** `f_type` of a tmpfs (statfs(2)). */
const tmpfsMagic = 0x0102_1994;

/** Where the embedded nodes keep their files, and what that is. */
export interface WorkDirectory {
  readonly path: string;
  readonly isMemory: boolean;
}

/**
 * Chooses where the embedded cluster works: in memory (/dev/shm) when there is ample room for `neededBytes`, else the
 * temporary directory. A disk's own troubles are not what the embedded node is for: ext4, for one, passes over inodes
 * that were freed in the last minutes (fs/ext4/ialloc.c, recently_deleted), so that unpacking the same image again
 * and again gets several times slower. A TMPDIR that the user has set is taken as it is.
 */
export async function chooseWorkDirectory(
  neededBytes: number,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<WorkDirectory> {
  const temporary = os.tmpdir();
  if (environment['TMPDIR'] === undefined && (await freeMemoryFileBytes('/dev/shm')) > 2 * neededBytes) {
    return { path: '/dev/shm', isMemory: true };
  }
  return { path: temporary, isMemory: await isTmpfs(temporary) };
}

/** Whether a directory is in memory. */
export async function isTmpfs(directory: string): Promise<boolean> {
  return fs.statfs(directory).then(
    ({ type }) => type === tmpfsMagic,
    () => false,
  );
}

/** Free bytes of a tmpfs that is backed by free memory too; 0 when there is none. */
async function freeMemoryFileBytes(directory: string): Promise<number> {
  try {
    const { type, bavail, bsize } = await fs.statfs(directory);
    await fs.access(directory, fs.constants.W_OK);
    return type === tmpfsMagic ? Math.min(bavail * bsize, os.freemem()) : 0;
  } catch {
    return 0;
  }
}
