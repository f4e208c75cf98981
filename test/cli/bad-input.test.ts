import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fixtureRun } from '../support/fixture-run.ts';
import { runCli } from '../support/run-cli.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';

const test = suite('command line, bad input');

const scenario = (change: (text: string) => string = (text) => text): string =>
  change(
    `name: bad
workload: { ready: { log: '^ready' }, timeout: 1m }
arms: { oci: { image: 'oci:none' }, nydus: { image: 'oci:none', convert: builtin } }
baseline: oci
pairs: { min: 6, max: 6 }
`,
  );

/** Runs a scenario text; what stderr says, without the folder's name. */
async function told(text: string, ...more: string[]): Promise<string> {
  await using scratch = await scratchDirectory();
  await writeFile(path.join(scratch.path, 's.yaml'), text);
  const { exitCode, stdout, stderr } = await runCli(['run', 's.yaml', ...more], { cwd: scratch.path });
  assert.equal(stdout, '');
  assert.doesNotMatch(stderr, /\n {4}at /u, 'no stack');
  return `${String(exitCode)} ${stderr.replaceAll(scratch.path, '.')}`;
}

test('names line, column and nearest key of an unknown key', async () => {
  const text = await told(scenario((all) => all.replace('pairs:', 'pair:')));
  assert.match(text, /^2 error: s\.yaml:5:1: unknown key `pair`, did you mean `pairs`\?\nhint: /u);
});

test('says which units there are', async () => {
  const text = await told(scenario((all) => all.replace('1m', '1 minute')));
  assert.match(
    text,
    /^2 error: s\.yaml:2:48: workload\.timeout: "1 minute" is not .*\(ns, us, ms, s, m or h\)/u,
  );
});

test('refuses a baseline that is no arm', async () => {
  const text = await told(scenario((all) => all.replace('baseline: oci', 'baseline: plain')));
  assert.match(text, /^2 error: s\.yaml:4:11: baseline `plain` is not among the arms \(oci, nydus\)/u);
});

test('refuses an unknown cluster and names the one that was meant', async () => {
  const text = await told(scenario(), '--cluster', 'embeded');
  assert.match(
    text,
    /^2 error: unknown cluster `embeded`, did you mean `embedded`\?\nhint: Known: embedded/u,
  );
});

test('says that there is no such scenario file', async () => {
  const { exitCode, stderr } = await runCli(['plan', 'nowhere.yaml']);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^error: cannot read the scenario nowhere\.yaml: there is no such file\n/u);
});

test('refuses an --out that cannot be written to before anything is started', async () => {
  const text = await told(scenario(), '--cluster', 'embedded', '--out', 's.yaml');
  assert.match(text, /^5 error: .*s\.yaml.* could not be written \((ENOTDIR|EEXIST)\)/u);
});

test('leaves no run directory behind when the image is not there', async () => {
  await using scratch = await scratchDirectory();
  await writeFile(path.join(scratch.path, 's.yaml'), scenario());
  const { exitCode, stderr } = await runCli(['run', 's.yaml', '--cluster', 'embedded', '--quiet'], {
    cwd: scratch.path,
  });
  assert.equal(exitCode, 2);
  assert.match(stderr, /^error: .*none is not a directory\n/u);
  assert.deepEqual(await readdir(path.join(scratch.path, 'reports/bad')), []);
});

test('says that a kubeconfig is missing', async () => {
  const text = await told(
    scenario((all) => all.replaceAll('oci:none', 'example.test/a:1').replace(', convert: builtin', '')),
  );
  assert.match(text, /^5 (?:warning: .*\n)?error: cannot read the kubeconfig: ENOENT/u);
});

test('explains unknown commands, options and numbers with exit code 2', async () => {
  for (const [args, expected] of [
    [['rnu'], /unknown command 'rnu'.*\n.*Did you mean run\?/u],
    [['run', 's.yaml', '--pair', '3'], /unknown option '--pair'.*\n.*Did you mean --pairs\?/u],
    [['run'], /missing required argument 'scenario'/u],
    [['quickstart', '--pairs', 'many'], /many is not a whole number from 1 to 100000/u],
    [['report', 'x', '--format', 'xml'], /Allowed choices are text, json/u],
  ] as const) {
    const { exitCode, stderr } = await runCli(args);
    assert.equal(exitCode, 2, args.join(' '));
    assert.match(stderr, expected);
  }
});

test('refuses what is no run directory', async () => {
  await using scratch = await scratchDirectory();
  const { exitCode, stderr } = await runCli(['report', scratch.path]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^error: .* holds no run\.json\.\nhint: Give a directory that `lazybench run` wrote/u);
});

test('reports a run whose last line is torn, with a warning', async () => {
  await using scratch = await scratchDirectory();
  const { run: fixture, trials, end } = fixtureRun();
  const run = {
    ...fixture,
    scenario: { baseline: 'oci', arms: [{ name: 'oci' }, { name: 'nydus' }] },
    plan: { blocks: [] },
  };
  await mkdir(path.join(scratch.path, 'evidence'));
  await writeFile(path.join(scratch.path, 'run.json'), JSON.stringify(run));
  await writeFile(path.join(scratch.path, 'end.json'), JSON.stringify(end));
  const log = path.join(scratch.path, 'trials.jsonl');
  await writeFile(log, trials.map((trial) => `${JSON.stringify(trial)}\n`).join(''));
  await appendFile(log, '{"schemaVersion":1,"id":"b0');
  const { exitCode, stdout, stderr } = await runCli(['report', scratch.path]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /^warning: trials\.jsonl: the last line is torn/u);
  assert.match(stdout, /report\.html\n$/u);
  const files = await readdir(scratch.path);
  for (const file of ['summary.json', 'report.html', 'report.md', 'junit.xml'])
    assert.ok(files.includes(file), file);
});
