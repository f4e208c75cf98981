import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openOciLayoutSink } from '../../src/image/stored/oci-layout-sink.ts';
import { loadEvidence, loadRun } from '../../src/results/load-run.ts';
import { runCli } from '../support/run-cli.ts';
import { writeSampleImage } from '../support/sample-image.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';

const test = suite('lazybench run on the embedded cluster');

const scenario = (change: (text: string) => string): string =>
  change(`name: small
workload: { ready: { log: '^ready' }, settle: 20ms, timeout: 20s }
arms:
  oci: { image: 'oci:image' }
  nydus: { image: 'oci:image', convert: builtin }
baseline: oci
pairs: { min: 2, max: 2 }
link: { bandwidth: 200Mbit, latency: 1ms }
seed: 7
`);

/** A folder with a small real image and a scenario over it. */
async function prepared(change: (text: string) => string = (text) => text) {
  const scratch = await scratchDirectory();
  await writeSampleImage(await openOciLayoutSink(path.join(scratch.path, 'image')));
  await writeFile(path.join(scratch.path, 's.yaml'), scenario(change));
  return scratch;
}

const onlyRun = async (folder: string): Promise<string> => {
  const parent = path.join(folder, 'reports/small');
  const runs = await readdir(parent);
  assert.equal(runs.length, 1);
  return path.join(parent, runs[0] ?? '');
};

for (const cache of ['cold', 'warm', 'layer-warm'])
  test(
    `measures both arms ${cache}, proves it and writes every file`,
    async () => {
      await using scratch = await prepared((text) => `${text}cache: ${cache}\n`);
      const { exitCode, stdout, stderr } = await runCli(['run', 's.yaml', '--cluster', 'embedded'], {
        cwd: scratch.path,
      });
      // Two pairs decide nothing: the run is fine, its verdict is not.
      assert.equal(exitCode, 4, stderr);
      assert.match(stdout, /report\.html\n$/u);
      const directory = await onlyRun(scratch.path);
      const { trials, end, warnings, record } = await loadRun(directory);
      assert.deepEqual(warnings, []);
      assert.equal(end?.how, 'completed');
      assert.deepEqual(
        trials.map(({ outcome }) => outcome),
        Array.from({ length: 4 }, () => 'completed'),
        JSON.stringify(trials, undefined, 1),
      );
      assert.ok(record.images.every(({ digest }) => digest.startsWith('sha256:')));
      const [first] = trials;
      assert.ok(first);
      const raw = await loadEvidence(directory, first.id);
      assert.ok(raw !== undefined && raw.clock.before.length >= 15 && raw.clock.after.length >= 15);
      assert.deepEqual(
        raw.counters.map(({ mark }) => mark),
        ['before', 'firstLog', 'ready', 'settled', 'end'],
      );
      assert.deepEqual(raw.missing, []);
      assert.ok(raw.podOnNode !== undefined && raw.deletedNs !== undefined);
      const files = await readdir(directory);
      for (const file of ['summary.json', 'report.html', 'report.md', 'junit.xml'])
        assert.ok(files.includes(file));
    },
    { limitMs: 120_000 },
  );

test(
  'counts a workload that never gives its sign as timed out, and times nothing',
  async () => {
    await using scratch = await prepared((text) => text.replace('^ready', '^never').replace('20s', '500ms'));
    const { exitCode } = await runCli(['run', 's.yaml', '--cluster', 'embedded', '--pairs', '1', '--quiet'], {
      cwd: scratch.path,
    });
    assert.equal(exitCode, 4);
    const { trials } = await loadRun(await onlyRun(scratch.path));
    assert.deepEqual(
      trials.map(({ outcome }) => outcome),
      ['timed-out', 'timed-out'],
    );
  },
  { limitMs: 120_000 },
);

test(
  'keeps what was measured when it is interrupted, and leaves nothing running',
  async () => {
    await using scratch = await prepared((text) => text.replace('min: 2, max: 2', 'min: 9, max: 9'));
    let isSent = false;
    const { exitCode, stderr } = await runCli(['run', 's.yaml', '--cluster', 'embedded'], {
      cwd: scratch.path,
      environment: { TMPDIR: scratch.path },
      onStderr: (text, kill) => {
        if (isSent || !text.includes('[1/18]')) return;
        isSent = true;
        kill('SIGINT');
      },
    });
    assert.equal(exitCode, 130, stderr);
    const directory = await onlyRun(scratch.path);
    const { trials, end } = await loadRun(directory);
    assert.equal(end?.how, 'interrupted');
    assert.equal(trials[0]?.outcome, 'completed');
    assert.ok(trials.length < 18);
    assert.match(await readFile(path.join(directory, 'report.md'), 'utf8'), /oci/u);
    const left = await readdir(scratch.path);
    assert.deepEqual(
      left.filter((name) => name.startsWith('lazybench-')),
      [],
      'the embedded cluster removed its directory',
    );
  },
  { limitMs: 120_000 },
);

test(
  'plans without staging, the same schedule as the run, as text and as JSON',
  async () => {
    await using scratch = await prepared();
    const plan = (...more: string[]) =>
      runCli(['plan', 's.yaml', '--cluster', 'embedded', ...more], { cwd: scratch.path });
    const text = await plan();
    assert.equal(text.exitCode, 0, text.stderr);
    assert.match(text.stdout, /use {2}embedded-0: eligible/u);
    assert.match(text.stdout, /"imagePullPolicy": "IfNotPresent"/u);
    const json = await plan('--format', 'json', '--seed', '11');
    const parsed = JSON.parse(json.stdout) as {
      plan: { seed: number; blocks: unknown[] };
      manifests: unknown[];
    };
    assert.equal(parsed.plan.seed, 11);
    assert.equal(parsed.plan.blocks.length, 2);
    assert.equal(parsed.manifests.length, 2);
    assert.deepEqual((await readdir(scratch.path)).toSorted(), ['image', 's.yaml']);
  },
  { limitMs: 60_000 },
);
