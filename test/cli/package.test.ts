import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import vm from 'node:vm';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';

const test = suite('package');
const execute = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

test(
  'the packed tarball runs from an empty folder, without the sources',
  async () => {
    await using scratch = await scratchDirectory();
    const { stdout } = await execute(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch.path],
      {
        cwd: root,
      },
    );
    const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
    assert.ok(packed);
    const files = packed.files.map((file) => file.path);
    for (const wanted of [
      'bin/lazybench.js',
      'dist/cli.js',
      'dist/report-client.js',
      'scenarios/quickstart.yaml',
    ])
      assert.ok(files.includes(wanted), wanted);
    assert.deepEqual(
      files.filter((file) => /^(?:src|test|node_modules)\//u.test(file)),
      [],
    );
    await execute('tar', ['-xzf', packed.filename], { cwd: scratch.path });
    // What npm would install from the registry is what this checkout has: its own dependencies.
    const modules = path.join(scratch.path, 'empty/node_modules');
    await mkdir(modules, { recursive: true });
    await rename(path.join(scratch.path, 'package'), path.join(modules, 'lazybench'));
    await symlink(path.join(root, 'node_modules'), path.join(modules, 'lazybench/node_modules'));
    const bin = path.join(modules, 'lazybench/bin/lazybench.js');
    const help = await execute(process.execPath, [bin, '--help'], { cwd: path.join(scratch.path, 'empty') });
    assert.match(help.stdout, /^Usage: lazybench /u);
    const scenario = path.join(modules, 'lazybench/scenarios/quickstart.yaml');
    const plan = await execute(process.execPath, [bin, 'plan', scenario, '--cluster', 'embedded']);
    assert.match(plan.stdout, /use {2}embedded-0: eligible/u);
  },
  { limitMs: 60_000 },
);

test('the built code has no syntax and no globals that Node 22 lacks', async () => {
  const dist = path.join(root, 'dist');
  const files = (await readdir(dist, { recursive: true })).filter(
    (file) => file.endsWith('.js') && !file.startsWith('report-client'),
  );
  assert.ok(files.length > 5);
  for (const file of files) {
    const built = await readFile(path.join(dist, file), 'utf8');
    assert.doesNotMatch(built, /^\s*(?:await )?using \w+ =/mu, file);
    assert.doesNotMatch(built, /\bnew (?:Async)?DisposableStack\b/u, file);
  }
});

/** Runs bin/lazybench.js as a Node of `version` would, up to its own import. */
async function startAs(version: string): Promise<{ stderr: string; exitCode: number | undefined }> {
  const source = (await readFile(path.join(root, 'bin/lazybench.js'), 'utf8')).replace(/^#!.*\n/u, '');
  let stderr = '';
  const fake: { versions: { node: string }; version: string; stderr: object; exitCode?: number } = {
    versions: { node: version },
    version: `v${version}`,
    stderr: { write: (text: string) => (stderr += text) },
  };
  const script = new vm.Script(source, {
    importModuleDynamically: () => Promise.reject(new Error('imported')),
  });
  script.runInNewContext({ process: fake });
  await new Promise((resolve) => setImmediate(resolve));
  return { stderr, exitCode: fake.exitCode };
}

test('an old Node is refused with one clear sentence', async () => {
  for (const version of ['14.21.3', '20.20.2', '22.18.0'])
    assert.deepEqual(await startAs(version), {
      stderr: `error: lazybench needs Node.js 22.19 or newer; this is v${version}.\n`,
      exitCode: 5,
    });
});

test('Node 22.19 and newer are let through', async () => {
  for (const version of ['22.19.0', '24.0.0']) {
    const { stderr } = await startAs(version);
    assert.doesNotMatch(stderr, /needs Node/u);
  }
});
