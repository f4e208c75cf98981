import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import { rawEvidence, type RawEvidence } from '../evidence/raw-evidence.ts';
import { trial, type Trial } from '../evidence/trial.ts';
import { runFiles } from './run-directory.ts';
import { runEnd, runRecord, type RunEnd, type RunRecord } from './run-record.ts';

/** A run as it lies in its directory. */
export interface LoadedRun {
  readonly path: string;
  readonly record: RunRecord;
  readonly trials: readonly Trial[];
  /** Undefined while the run goes on, and after a crash. */
  readonly end: RunEnd | undefined;
  /** Sentences about what is damaged but could be read around. */
  readonly warnings: readonly string[];
}

/** Newest schema that this version reads. */
const newestSchema = 1;

/**
 * Loads a run directory, also that of an interrupted run: trials and end may be missing, and the last line of
 * trials.jsonl may be torn (a warning). Throws RUN_DIRECTORY_INVALID for everything else that is not as written.
 */
export async function loadRun(directory: string): Promise<LoadedRun> {
  const recordText = await readIfThere(path.join(directory, runFiles.run));
  if (recordText === undefined)
    throw new HarnessError('RUN_DIRECTORY_INVALID', `${directory} holds no ${runFiles.run}.`);
  const record = parse(runRecord, recordText, runFiles.run);
  const warnings: string[] = [];
  const trials = parseTrials((await readIfThere(path.join(directory, runFiles.trials))) ?? '', warnings);
  const endText = await readIfThere(path.join(directory, runFiles.end));
  const end = endText === undefined ? undefined : parse(runEnd, endText, runFiles.end);
  if (end === undefined) warnings.push('The run has no end.json: it still runs, or it was cut off.');
  return { path: path.resolve(directory), record, trials, end, warnings };
}

/** Loads the raw evidence of one trial; undefined when the directory has none (it may be left out of what is mailed). */
export async function loadEvidence(directory: string, trialId: string): Promise<RawEvidence | undefined> {
  if (!/^[\w-][\w.-]*$/u.test(trialId))
    throw new HarnessError('RUN_DIRECTORY_INVALID', `${JSON.stringify(trialId)} is no trial's id.`);
  const name = path.join(runFiles.evidence, `${trialId}.json`);
  const text = await readIfThere(path.join(directory, name));
  return text === undefined ? undefined : parse(rawEvidence, text, name);
}

const parseTrials = (text: string, warnings: string[]): readonly Trial[] => {
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  const trials = lines.map((line, index) => parse(trial, line, `${runFiles.trials}:${String(index + 1)}`));
  // A line counts once its newline is on disk; what follows the last one was being written.
  if (torn !== '')
    warnings.push(
      `${runFiles.trials}: the last line is torn (${String(torn.length)} characters) and was left out: the run was cut off while writing it.`,
    );
  return trials;
};

const parse = <T>(schema: z.ZodType<T>, text: string, place: string): T => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new HarnessError('RUN_DIRECTORY_INVALID', `${place} is not JSON.`, {
      cause: error,
      details: { place },
    });
  }
  const version = z.looseObject({ schemaVersion: z.number() }).safeParse(json).data?.schemaVersion;
  if (version !== undefined && version > newestSchema)
    throw new HarnessError(
      'RUN_DIRECTORY_INVALID',
      `${place} has schema version ${String(version)}; this lazybench reads up to ${String(newestSchema)}.`,
      {
        hint: 'A newer lazybench wrote it: use that one, or a newer one still.',
        details: { place, version },
      },
    );
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new HarnessError(
    'RUN_DIRECTORY_INVALID',
    `${place}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as written'}.`,
    { details: { place } },
  );
};

const readIfThere = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    if (typeof code === 'string')
      throw new HarnessError('RUN_DIRECTORY_INVALID', `${file} could not be read (${code}).`, {
        cause: error,
      });
    throw error;
  }
};
