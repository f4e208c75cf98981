import assert from 'node:assert/strict';
import { appLayers, cleanUp } from '../../../src/embedded/quickstart/app-layers.ts';
import { textFile } from '../../../src/embedded/quickstart/layer-item.ts';
import { suite } from '../../support/suite.ts';

const test = suite('quickstart clean-up');

const whiteouts = (...files: readonly string[]): readonly string[] =>
  cleanUp(files.map((file) => textFile(file, ''))).map((item) => item.path);

test('removes documentation file by file, test folders as a whole', () => {
  assert.deepEqual(
    whiteouts(
      'app/node_modules/a/README.md',
      'app/node_modules/a/index.js',
      'app/node_modules/a/lib/tests/x.js',
      'app/node_modules/a/lib/tests/deep/y.md',
    ),
    ['app/node_modules/a/README.md', 'app/node_modules/a/lib/tests'],
  );
});

test('keeps packages that are called like a test folder, and licences', () => {
  assert.deepEqual(
    whiteouts(
      'app/node_modules/test/index.js',
      'app/node_modules/@s/docs/index.js',
      'app/node_modules/a/LICENSE',
    ),
    [],
  );
});

test('installs the dependencies without source maps and type declarations', async () => {
  const [dependencies] = await appLayers();
  const paths = dependencies?.items.map((item) => item.path) ?? [];
  assert.ok(paths.includes('app/node_modules/yaml/package.json'));
  assert.deepEqual(
    paths.filter((name) => /\.(?:map|d\.[cm]?ts)$/u.test(name)),
    [],
  );
});
