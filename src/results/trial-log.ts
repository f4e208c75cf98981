import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { RawEvidence } from '../evidence/raw-evidence.ts';
import type { Trial } from '../evidence/trial.ts';
import { runFiles, type RunDirectory } from './run-directory.ts';
import { writeAtomically } from './write-atomically.ts';
import { writeError } from './write-error.ts';

/** The growing record of a run's trials: `trials.jsonl` and `evidence/`. */
export interface TrialLog extends AsyncDisposable {
  /**
   * Records one trial: evidence first, then its line, both on disk when this resolves. Calls from several nodes are
   * queued. Throws DISK_FULL or OUTPUT_UNWRITABLE; a line that did not fit leaves no part of itself.
   */
  append(trial: Trial, evidence: RawEvidence): Promise<void>;
}

/** Opens the log of a run, new or to be resumed; half a line that a crash left behind is cut off. */
export async function openTrialLog(directory: Pick<RunDirectory, 'path'>): Promise<TrialLog> {
  const file = path.join(directory.path, runFiles.trials);
  let handle: FileHandle;
  let sizeBytes: number;
  try {
    handle = await open(file, 'a+');
  } catch (error) {
    throw writeError(error, file);
  }
  try {
    sizeBytes = await cutTornLine(handle);
  } catch (error) {
    await handle.close();
    throw writeError(error, file);
  }
  let queue: Promise<void> = Promise.resolve();
  const write = async (trial: Trial, evidence: RawEvidence): Promise<void> => {
    await writeAtomically(
      path.join(directory.path, runFiles.evidence, `${trial.id}.json`),
      `${JSON.stringify(evidence)}\n`,
    );
    const line = Buffer.from(`${JSON.stringify(trial)}\n`);
    try {
      await handle.appendFile(line);
      await handle.datasync();
      sizeBytes += line.length;
    } catch (error) {
      await handle.truncate(sizeBytes).catch(() => undefined);
      throw writeError(error, file);
    }
  };
  return {
    append: (trial, evidence) => {
      const written = queue.then(() => write(trial, evidence));
      queue = written.catch(() => undefined);
      return written;
    },
    [Symbol.asyncDispose]: async () => {
      await queue;
      await handle.close();
    },
  };
}

/** Cuts everything after the last newline; answers the size that is left. */
const cutTornLine = async (handle: FileHandle): Promise<number> => {
  const content = await handle.readFile();
  const wholeBytes = content.lastIndexOf(0x0a) + 1;
  if (wholeBytes < content.length) await handle.truncate(wholeBytes);
  return wholeBytes;
};
