import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Summary } from '../decision/summary.ts';
import type { Clock } from '../units/clock.ts';
import type { RunEnd, RunRecord } from './run-record.ts';
import { writeAtomically } from './write-atomically.ts';
import { writeError } from './write-error.ts';

/** Where a run's files are, by name. */
export interface RunDirectory {
  readonly path: string;
  readonly runId: string;
}

/** Names of the files that a run directory holds. */
export const runFiles = {
  run: 'run.json',
  trials: 'trials.jsonl',
  evidence: 'evidence',
  end: 'end.json',
  summary: 'summary.json',
} as const;

/** Makes a new run id: UTC time to the second and six hex digits, e.g. `20261123-101502-ab12cd`. */
export function newRunId(clock: Clock): string {
  const iso = new Date(Number(clock.wallNs() / 1_000_000n)).toISOString();
  const time = iso.slice(0, 19).replaceAll(/[-:]/gu, '').replace('T', '-');
  return `${time}-${randomBytes(3).toString('hex')}`;
}

/**
 * Makes `<root>/<scenario>/<run-id>/evidence/`. An id that is taken is drawn again, so that runs started in the same
 * second never share a directory. Throws OUTPUT_UNWRITABLE or DISK_FULL.
 */
export async function createRunDirectory(
  root: string,
  scenarioName: string,
  clock: Clock,
  drawId: (clock: Clock) => string = newRunId,
): Promise<RunDirectory> {
  const parent = path.resolve(root, folderName(scenarioName));
  try {
    await mkdir(parent, { recursive: true });
    for (let attempt = 1; ; attempt += 1) {
      const runId = drawId(clock);
      const directory = path.join(parent, runId);
      try {
        await mkdir(directory);
      } catch (error) {
        if (attempt < 20 && error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
        throw error;
      }
      await mkdir(path.join(directory, runFiles.evidence));
      return { path: directory, runId };
    }
  } catch (error) {
    throw writeError(error, parent);
  }
}

/** Writes run.json: before the first trial. */
export async function writeRunRecord(directory: RunDirectory, record: RunRecord): Promise<void> {
  await writeAtomically(path.join(directory.path, runFiles.run), asText(record));
}

/** Writes end.json: after the last trial, however the run ended. */
export async function writeRunEnd(directory: RunDirectory, end: RunEnd): Promise<void> {
  await writeAtomically(path.join(directory.path, runFiles.end), asText(end));
}

/** Writes summary.json; a later version of lazybench may write it again. */
export async function writeSummary(directory: Pick<RunDirectory, 'path'>, summary: Summary): Promise<void> {
  await writeAtomically(path.join(directory.path, runFiles.summary), asText(summary));
}

const asText = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** A scenario's name as one folder: nothing that leaves the root or needs quoting. */
const folderName = (name: string): string => {
  const safe = name.replaceAll(/[^\w.-]+/gu, '-').replace(/^\.+/u, '');
  return safe === '' ? 'scenario' : safe;
};
