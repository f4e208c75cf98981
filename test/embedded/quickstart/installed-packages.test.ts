import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installedPackages } from '../../../src/embedded/quickstart/installed-packages.ts';
import { suite } from '../../support/suite.ts';

const test = suite('installed packages');

let folder = '';
test.before(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'lazybench-packages-')));
});
test.after(async () => await rm(folder, { recursive: true, force: true }));

async function addPackage(
  at: string,
  dependencies: readonly string[] = [],
  version = '1.0.0',
): Promise<void> {
  const home = path.join(folder, at);
  await mkdir(home, { recursive: true });
  const name = at.split('node_modules/').at(-1);
  const wanted = Object.fromEntries(dependencies.map((dependency) => [dependency, '*']));
  await writeFile(path.join(home, 'package.json'), JSON.stringify({ name, version, dependencies: wanted }));
}

const found = async (from: string): Promise<Readonly<Record<string, string>>> => {
  const packages = await installedPackages(path.join(folder, from));
  return Object.fromEntries(packages.map((one) => [one.target, path.relative(folder, one.folder)]));
};

test('finds dependencies hoisted beside an installed package, and nested second versions', async () => {
  await addPackage('user/node_modules/tool', ['a', '@s/b']);
  await mkdir(path.join(folder, 'user/node_modules/tool/dist/deep'), { recursive: true });
  await addPackage('user/node_modules/a', ['c'], '2.0.0');
  await addPackage('user/node_modules/@s/b', ['c', 'absent-optional']);
  await addPackage('user/node_modules/c');
  await addPackage('user/node_modules/@s/b/node_modules/c', [], '9.0.0');
  await addPackage('user/node_modules/unrelated');
  assert.deepEqual(await found('user/node_modules/tool/dist/deep'), {
    'node_modules/@s/b': 'user/node_modules/@s/b',
    'node_modules/a': 'user/node_modules/a',
    'node_modules/c': 'user/node_modules/@s/b/node_modules/c',
    'node_modules/a/node_modules/c': 'user/node_modules/c',
  });
});

test('follows the links of a content-addressed store, and ends where packages need each other', async () => {
  await addPackage('store/x/node_modules/x', ['y']);
  await addPackage('store/y/node_modules/y', ['x']);
  await addPackage('app', ['x']);
  await mkdir(path.join(folder, 'app/node_modules'));
  await symlink(path.join(folder, 'store/x/node_modules/x'), path.join(folder, 'app/node_modules/x'));
  await symlink(path.join(folder, 'store/y/node_modules/y'), path.join(folder, 'store/x/node_modules/y'));
  await symlink(path.join(folder, 'store/x/node_modules/x'), path.join(folder, 'store/y/node_modules/x'));
  assert.deepEqual(await found('app'), {
    'node_modules/x': 'store/x/node_modules/x',
    'node_modules/y': 'store/y/node_modules/y',
  });
});

test('finds the real dependencies of this project', async () => {
  const packages = await installedPackages(import.meta.dirname);
  const names = packages.map(({ name }) => name);
  for (const name of ['@kubernetes/client-node', 'yaml', 'zod', 'ws', 'js-yaml'])
    assert.ok(names.includes(name), name);
  for (const name of ['typescript', 'eslint', 'node']) assert.ok(!names.includes(name), name);
});
