import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { loadEvidence, loadRun } from '../../src/results/load-run.ts';
import {
  createRunDirectory,
  newRunId,
  writeRunEnd,
  writeRunRecord,
  type RunDirectory,
} from '../../src/results/run-directory.ts';
import { openTrialLog } from '../../src/results/trial-log.ts';
import { writeError } from '../../src/results/write-error.ts';
import type { Clock } from '../../src/units/clock.ts';
import { completedTrial, sampleDuration, sampleRun } from '../decision/sample-run.ts';
import { sampleEvidence } from '../evidence/sample-evidence.ts';
import { suite } from '../support/suite.ts';

const test = suite('run directory');

const clock: Clock = {
  wallNs: () => 1_795_428_902_000_000_000n,
  monotonicNs: () => 0n,
  sleep: () => Promise.resolve(),
};
const record = sampleRun(['oci', 'nydus'], 2);
const trials = [0, 1, 2].map((block) =>
  completedTrial('oci', block, { timeToReady: sampleDuration(1000 + block) }),
);

let root = '';
test.beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lazybench-results-'));
});
test.afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const makeRun = async (): Promise<RunDirectory> => {
  const directory = await createRunDirectory(root, 'sample', clock);
  await writeRunRecord(directory, record);
  return directory;
};

const appendAll = async (directory: RunDirectory): Promise<void> => {
  await using log = await openTrialLog(directory);
  await Promise.all(trials.map((trial) => log.append(trial, { ...sampleEvidence(), trial: trial.id })));
};

const code = (expected: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HarnessError);
  assert.equal(error.code, expected);
  assert.match(error.message, text);
  return true;
};

test('what was written is what is read, evidence included, and no temporary file stays', async () => {
  const directory = await makeRun();
  await appendAll(directory);
  await writeRunEnd(directory, { schemaVersion: 1, endedAt: 'now', how: 'completed', why: 'all pairs' });
  const run = await loadRun(directory.path);
  assert.deepEqual(run.record, record);
  assert.deepEqual(run.trials, trials);
  assert.equal(run.end?.how, 'completed');
  assert.deepEqual(run.warnings, []);
  const evidence = await loadEvidence(directory.path, 'b1-oci');
  assert.deepEqual(evidence, { ...sampleEvidence(), trial: 'b1-oci' });
  const files = await readdir(directory.path, { recursive: true });
  assert.deepEqual(
    files.filter((file) => file.endsWith('.tmp')),
    [],
  );
});

test('run ids hold the time in UTC', () => {
  assert.match(newRunId(clock), /^20261123-101502-[0-9a-f]{6}$/u);
});

test('an id that is taken is drawn again', async () => {
  const ids = ['a', 'a', 'b'];
  const draw = (): string => ids.shift() ?? 'none';
  assert.equal((await createRunDirectory(root, 's', clock, draw)).runId, 'a');
  assert.equal((await createRunDirectory(root, 's', clock, draw)).runId, 'b');
});

test('a scenario’s name never leaves the root', async () => {
  const { path: made } = await createRunDirectory(root, '../../etc/x y', clock);
  assert.equal(path.relative(root, made).startsWith('..'), false);
  assert.deepEqual(await readdir(root), ['-..-etc-x-y']);
});

test('a torn last line is left out with a warning, and cut off when the run goes on', async () => {
  const directory = await makeRun();
  await appendAll(directory);
  const file = path.join(directory.path, 'trials.jsonl');
  await appendFile(file, '{"schemaVersion":1,"id":"b3-');
  const torn = await loadRun(directory.path);
  assert.equal(torn.trials.length, 3);
  assert.match(torn.warnings.join('\n'), /last line is torn/u);
  assert.match(torn.warnings.join('\n'), /no end\.json/u);
  {
    await using log = await openTrialLog(directory);
    await log.append(completedTrial('nydus', 3, {}), sampleEvidence());
  }
  const resumed = await loadRun(directory.path);
  assert.deepEqual(
    resumed.trials.map(({ id }) => id),
    ['b0-oci', 'b1-oci', 'b2-oci', 'b3-nydus'],
  );
});

test('a run without a single trial can be read', async () => {
  const run = await loadRun((await makeRun()).path);
  assert.deepEqual(run.trials, []);
  assert.equal(await loadEvidence(run.path, 'b0-oci'), undefined);
});

test('damage elsewhere is refused with its place', async () => {
  const directory = await makeRun();
  await appendAll(directory);
  const file = path.join(directory.path, 'trials.jsonl');
  const lines = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, [lines[0], '{"schemaVersion":1,"id":', lines[2], ''].join('\n'));
  await assert.rejects(
    loadRun(directory.path),
    code('RUN_DIRECTORY_INVALID', /^trials\.jsonl:2 is not JSON/u),
  );
  await writeFile(file, `${(lines[0] ?? '').replace('"completed"', '"splendid"')}\n`);
  await assert.rejects(loadRun(directory.path), code('RUN_DIRECTORY_INVALID', /^trials\.jsonl:1: outcome/u));
});

test('a newer schema is refused by its number, another directory by what it lacks', async () => {
  const directory = await makeRun();
  await writeFile(path.join(directory.path, 'run.json'), JSON.stringify({ ...record, schemaVersion: 2 }));
  await assert.rejects(
    loadRun(directory.path),
    code('RUN_DIRECTORY_INVALID', /schema version 2; .* up to 1/u),
  );
  await assert.rejects(loadRun(root), code('RUN_DIRECTORY_INVALID', /holds no run\.json/u));
  await assert.rejects(
    loadEvidence(directory.path, '../run'),
    code('RUN_DIRECTORY_INVALID', /no trial's id/u),
  );
});

test('a place that cannot be written to is named', async () => {
  const file = path.join(root, 'file');
  await writeFile(file, '');
  await assert.rejects(createRunDirectory(file, 's', clock), code('OUTPUT_UNWRITABLE', /file/u));
});

test('a full disk is DISK_FULL, and an error that is no such thing stays itself', async () => {
  // /dev/full answers every write with ENOSPC.
  const full = await writeFile('/dev/full', 'x').catch((error: unknown) => writeError(error, 'run.json'));
  assert.ok(code('DISK_FULL', /run\.json could not be written/u)(full));
  const bug = new TypeError('x');
  assert.equal(writeError(bug, 'f'), bug);
});
