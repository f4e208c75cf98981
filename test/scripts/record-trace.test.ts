import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { processesIn } from '../../scripts/record-trace/page-sampler.ts';
import { recordTrace } from '../../scripts/record-trace/record-trace.ts';
import { formatTrace, parseTrace } from '../../src/image/read-trace.ts';
import { suite } from '../support/suite.ts';
import { requireRoot, requireTool } from '../support/tool.ts';

const test = suite('record trace');

let root = '';
/** Puts a program of this machine with its libraries into the small root. */
function install(program: string): void {
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/gu);
  for (const file of [program, ...[...libraries].map(([, library]) => library ?? '')]) {
    mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    copyFileSync(file, path.join(root, file));
  }
}
const contentsBytes = 300_000;
test.before(() => {
  requireRoot();
  requireTool('strace');
  root = mkdtempSync(path.join(tmpdir(), 'lazybench-test-root-'));
  for (const program of ['/bin/sh', '/bin/cat', '/bin/sleep']) install(program);
  writeFileSync(path.join(root, 'data'), Buffer.alloc(contentsBytes, 'x'));
  const script =
    '#!/bin/sh\necho started >&2\ncat /data > /tmp/copy\ncat /tmp/copy > /dev/null\necho ready: yes\nexec sleep 60\n';
  writeFileSync(path.join(root, 'start.sh'), script, { mode: 0o755 });
});
test.after(() => rmSync(root, { recursive: true, force: true }));

const start = (command: readonly string[], timeoutMs = 20_000) => ({
  root,
  command,
  environment: {},
  ready: /^ready/u,
  timeoutMs,
  lingerMs: 50,
});
const quiet = (): void => undefined;

test('records the reads, mapped pages and lines of a real program and its children', async () => {
  const trace = await recordTrace(start(['/start.sh']), quiet);
  assert.deepEqual(parseTrace(formatTrace(trace)), trace);
  const { steps } = trace;
  const bytesOf = (file: string, kind: 'read' | 'map'): number =>
    steps.reduce((sum, step) => sum + (step.kind === kind && step.path === file ? step.length : 0), 0);
  assert.equal(bytesOf('data', 'read'), contentsBytes);
  assert.ok(bytesOf('start.sh', 'read') >= readFileSync(path.join(root, 'start.sh')).length);
  // How much of a short process the samples catch depends on the machine; that they catch it does not.
  for (const program of ['bin/sh', 'bin/cat']) assert.ok(bytesOf(program, 'map') > 0, program);
  assert.deepEqual(
    steps.flatMap((step) => (step.kind === 'log' ? [step.line] : [])),
    ['started', 'ready: yes'],
  );
  const known = new Set(['data', 'start.sh', 'bin/sh', 'bin/cat', 'bin/sleep']);
  for (const step of steps)
    if (step.kind !== 'log') assert.ok(known.has(step.path) || step.path.includes('.so'), step.path);
  const [read, ready] = [
    steps.findIndex((step) => step.kind === 'read' && step.path === 'data'),
    steps.findIndex((step) => step.kind === 'log' && step.line.startsWith('ready')),
  ];
  assert.ok(read > 0 && read < ready);
});

test('leaves the root, the processes and the temporary folder as they were', async () => {
  const before = await readdir(tmpdir());
  await recordTrace(start(['/bin/sh', '-c', 'echo x > /made; echo ready; exec sleep 60']), quiet);
  assert.ok(!(await readdir(root)).includes('made'));
  const left = (await readdir(tmpdir())).filter((name) => /^lazybench-(?:trace|strace)-/u.test(name));
  assert.deepEqual(
    left.filter((name) => !before.includes(name)),
    [],
  );
  for (const name of left) assert.deepEqual(processesIn(path.join(tmpdir(), name, 'merged')), []);
});

test('fails with what the program said when it ends or stays silent', async () => {
  await assert.rejects(
    recordTrace(start(['/bin/sh', '-c', 'echo no licence >&2; exit 3']), quiet),
    /ended with 3 before the ready line\nno licence/u,
  );
  await assert.rejects(recordTrace(start(['/bin/sleep', '60'], 300), quiet), /not ready within 300 ms/u);
});
