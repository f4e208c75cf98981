// Test runner: `node scripts/run-tests.ts [DIR-OR-FILE-PART …]`. Runs the *.test.ts files under test/ whose path
// contains one of the parts (all without). Exits 1 unless every test ran and passed, and at least one did.
import { glob } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

/** The queue that uvu keeps in globals when UVU_DEFER is set (uvu/run does the same). */
interface UvuGlobals {
  UVU_DEFER: number;
  UVU_INDEX: number;
  UVU_QUEUE: [string, ...(() => Promise<[string, number, number, number]>)[]][];
}
const uvuGlobals = globalThis as unknown as UvuGlobals;

const minimumNode = [22, 19] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < minimumNode[0] || (major === minimumNode[0] && minor < minimumNode[1])) {
  console.error(
    `The tests need Node >= ${minimumNode.join('.')}; this is ${process.version}. \`npm ci\` installs one.`,
  );
  process.exit(2);
}

const root = path.resolve(import.meta.dirname, '..');
const testRoot = process.env['LAZYBENCH_TEST_ROOT'] ?? path.join(root, 'test');
const wanted = process.argv.slice(2);
const files = (await Array.fromAsync(glob('**/*.test.ts', { cwd: testRoot })))
  .filter((file) => wanted.length === 0 || wanted.some((part) => path.join('test', file).includes(part)))
  .sort();

uvuGlobals.UVU_DEFER = 1;
const uvu = await import('uvu');
const { drainSuites, failedHooks, skippedTests } = await import('../test/support/suite.ts');

const problems: string[] = [];
for (const [index, file] of files.entries()) {
  uvuGlobals.UVU_INDEX = index;
  uvuGlobals.UVU_QUEUE[index] = [file];
  try {
    await import(pathToFileURL(path.join(testRoot, file)).href);
  } catch (thrown) {
    problems.push(
      `${file}: could not be loaded: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
    );
    drainSuites();
    continue;
  }
  const { queued, empty } = drainSuites();
  if (queued === 0 || empty.length > 0) problems.push(`${file}: ${empty[0] ?? 'no suite'} has no test`);
}

const tally = { passed: 0, failed: 0, skipped: 0 };
for (const group of uvuGlobals.UVU_QUEUE) {
  for (let k = 1; k < group.length; k += 1) {
    const run = group[k];
    if (typeof run !== 'function') continue;
    group[k] = async () => {
      const result = await run();
      const [, passed, skipped, total] = result;
      tally.passed += passed;
      tally.failed += total - passed;
      tally.skipped += skipped;
      return result;
    };
  }
}
// A floating rejection belongs to no test, yet it is a failure.
process.on('unhandledRejection', (reason) => {
  problems.push(
    `unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`,
  );
});
await (uvu as unknown as { exec(): Promise<void> }).exec();

problems.push(...failedHooks());
for (const problem of problems) console.error(`✗ ${problem}`);
// To uvu a test skipped by our suite has passed: take those out again.
for (const reason of skippedTests()) console.error(`- skipped: ${reason}`);
tally.skipped += skippedTests().length;
tally.passed -= skippedTests().length;
const failed = tally.failed + problems.length;
console.log(
  `${String(tally.passed)} passed, ${String(failed)} failed${tally.skipped > 0 ? `, ${String(tally.skipped)} skipped` : ''}`,
);
// uvu sets exitCode from its own count, which is not to be trusted: decide here. Leaked handles must not hang CI.
process.exit(failed > 0 || tally.passed === 0 ? 1 : 0);
