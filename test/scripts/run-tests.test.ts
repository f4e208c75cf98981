import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { suite } from '../support/suite.ts';

const test = suite('test runner');
const root = path.resolve(import.meta.dirname, '../..');
const support = pathToFileURL(path.join(root, 'test/support/suite.ts')).href;

/** Runs the runner over one made-up test file. */
function runWith(
  body: string,
  environment: Record<string, string> = {},
): { status: number | null; output: string; lastLine: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'lazybench-runner-'));
  try {
    writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(
      path.join(folder, 'made-up.test.ts'),
      `import { suite } from ${JSON.stringify(support)};\n${body}`,
    );
    const result = spawnSync(process.execPath, [path.join(root, 'scripts/run-tests.ts')], {
      env: { ...process.env, LAZYBENCH_TEST_ROOT: folder, ...environment },
      encoding: 'utf8',
    });
    const lines = result.stdout.trimEnd().split('\n');
    return { status: result.status, output: result.stdout + result.stderr, lastLine: lines.at(-1) ?? '' };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('is green, and says so in its last line, when every test passed', () => {
  const { status, lastLine } = runWith(
    `const test = suite('good'); test('one', () => {}); test('two', async () => {});`,
  );
  assert.equal(lastLine, '2 passed, 0 failed');
  assert.equal(status, 0);
});

const red: Readonly<Record<string, string>> = {
  'a failing test': `const test = suite('s'); test('t', () => { throw new Error('no'); });`,
  'a throwing before hook': `const test = suite('s'); test.before(() => { throw new Error('hook'); }); test('t', () => {});`,
  'a throwing after hook': `const test = suite('s'); test.after(() => { throw new Error('hook'); }); test('t', () => {});`,
  'a throwing afterEach hook': `const test = suite('s'); test.afterEach(() => { throw new Error('hook'); }); test('t', () => {});`,
  'a throwing beforeEach hook': `const test = suite('s'); test.beforeEach(() => { throw new Error('hook'); }); test('t', () => {});`,
  'a thrown string': `const test = suite('s'); test('t', () => { throw 'text'; }); test('u', () => {});`,
  'an error with details': `const test = suite('s'); test('t', () => { throw Object.assign(new Error('told'), { details: { a: 1 } }); }); test('u', () => {});`,
  'a suite without a test': `suite('empty'); const test = suite('s'); test('t', () => {});`,
  'a file without a suite': `void suite;`,
  'a file that cannot be loaded': `throw new Error('at load');`,
  'a test that never ends': `const test = suite('s'); test('t', () => new Promise(() => {}), { limitMs: 50 });`,
  'a rejection that nobody handled': `const test = suite('s'); test('t', async () => { void Promise.reject(new Error('floating')); await new Promise((r) => setImmediate(r)); });`,
};

for (const [what, body] of Object.entries(red)) {
  test(`is red for ${what}`, () => {
    const { status, lastLine, output } = runWith(body);
    assert.equal(status, 1, output);
    assert.match(lastLine, /^\d+ passed, [1-9]\d* failed$/u);
  });
}

test('goes on after a thrown string, so that the rest is still counted', () => {
  const { lastLine } = runWith(
    `const test = suite('s'); test('t', () => { throw 'text'; }); test('u', () => {});`,
  );
  assert.equal(lastLine, '1 passed, 1 failed');
});

const missing = `import { requireTool } from ${JSON.stringify(support.replace('suite.ts', 'tool.ts'))};
const test = suite('s'); test('t', () => { requireTool('no-such-program'); }); test('u', () => {});`;

test('counts a test whose tool is not installed as skipped, and says so', () => {
  const { status, lastLine } = runWith(missing, { CI: '', LAZYBENCH_REQUIRE_TOOLS: '' });
  assert.equal(lastLine, '1 passed, 0 failed, 1 skipped');
  assert.equal(status, 0);
});

test('does not let a tool be missing in CI', () => {
  const { status, lastLine } = runWith(missing, { CI: 'true' });
  assert.equal(lastLine, '1 passed, 1 failed');
  assert.equal(status, 1);
});

test('tells what an error with details said, and goes on', () => {
  const { output, lastLine } = runWith(red['an error with details'] ?? '');
  assert.match(output, /told/u);
  assert.equal(lastLine, '1 passed, 1 failed');
});
