import { open, rename, rm } from 'node:fs/promises';
import process from 'node:process';
import { writeError } from './write-error.ts';

/**
 * Writes a file so that readers see the old content or the new one, never a part: temporary file beside it, fsync,
 * rename. Throws DISK_FULL or OUTPUT_UNWRITABLE; the temporary file does not stay behind.
 */
export async function writeAtomically(file: string, content: string): Promise<void> {
  const temporary = `${file}.${String(process.pid)}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(error, file);
  }
}
