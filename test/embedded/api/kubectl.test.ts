import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { pods } from '../../../src/embedded/api/resources.ts';
import { textAt } from '../../../src/embedded/api/json.ts';
import { podManifest, startControlPlane, until } from '../../support/embedded-control-plane.ts';
import { suite } from '../../support/suite.ts';
import { requireTool } from '../../support/tool.ts';

const test = suite('kubectl against the embedded cluster');
const run = promisify(execFile);

let plane: Awaited<ReturnType<typeof startControlPlane>>;
let folder: string;
let manifest: string;
const flags = (): string[] => ['--server', plane.api.url, '--kubeconfig', '/dev/null', '--cache-dir', folder];
const kubectl = async (...words: string[]): Promise<string> =>
  (await run(requireTool('kubectl'), [...words, ...flags()])).stdout;
const columns = (text: string): string[][] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.split(/\s{2,}/u).map((cell) => cell.trim()));

test.before(async () => {
  requireTool('kubectl');
  plane = await startControlPlane();
  folder = await mkdtemp(path.join(tmpdir(), 'kubectl-'));
  manifest = path.join(folder, 'pod.json');
  plane.runtime.images.set('a:1', { lines: ['hello', 'ready'] });
  const resources = { resources: { limits: { 'nvidia.com/gpu': 1 } } };
  await writeFile(manifest, JSON.stringify(podManifest('p1', 'a:1', {}, resources)));
});
test.after(async () => {
  await plane[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('applies a manifest, twice, and waits until the pod is ready', async () => {
  assert.equal(await kubectl('apply', '-f', manifest), 'pod/p1 created\n');
  assert.equal(
    await kubectl('wait', '--for=condition=Ready', 'pod/p1', '--timeout=10s'),
    'pod/p1 condition met\n',
  );
  assert.match(await kubectl('apply', '-f', manifest), /^pod\/p1 (?:unchanged|configured)\n$/u);
});

test('prints nodes and pods in the usual columns', async () => {
  const [nodeHeader, node] = columns(await kubectl('get', 'nodes', '-o', 'wide'));
  assert.deepEqual(nodeHeader?.slice(0, 6), ['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION', 'INTERNAL-IP']);
  assert.deepEqual([node?.[0], node?.[1], node?.[5]], ['gpu-1', 'Ready', '10.0.0.1']);
  const [podHeader, pod] = columns(await kubectl('get', 'pods', '-o', 'wide'));
  assert.deepEqual(podHeader, [
    'NAME',
    'READY',
    'STATUS',
    'RESTARTS',
    'AGE',
    'IP',
    'NODE',
    'NOMINATED NODE',
    'READINESS GATES',
  ]);
  assert.deepEqual(pod?.slice(0, 4), ['p1', '1/1', 'Running', '0']);
  assert.deepEqual(pod.slice(5), ['10.244.1.2', 'gpu-1', '<none>', '<none>']);
});

test('describes a pod with its events', async () => {
  const text = await kubectl('describe', 'pod', 'p1');
  assert.match(text, /^Node: +gpu-1\/10\.0\.0\.1$/mu);
  assert.match(text, /State: +Running/u);
  for (const reason of ['Scheduled', 'Pulling', 'Pulled', 'Created', 'Started'])
    assert.match(text, new RegExp(`Normal +${reason} `, 'u'));
  assert.match(await kubectl('describe', 'node', 'gpu-1'), /nvidia\.com\/gpu +1 +1/u);
});

test('reads logs with nanoseconds and follows them', async () => {
  assert.equal(await kubectl('logs', 'p1'), 'hello\nready\n');
  const child = spawn(requireTool('kubectl'), ['logs', '-f', 'p1', '--timestamps', '--tail=1', ...flags()]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  assert.match(String(first.value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ready$/u);
  plane.runtime.say('p1', 'main', 'more');
  assert.match(String((await lines.next()).value), / more$/u);
  plane.runtime.end('p1', 'main', { exitCode: 0, reason: 'Completed' });
  await once(child, 'exit');
  assert.equal(child.exitCode, 0, 'the follower ends with the container');
});

test('watches a pod go', async () => {
  const child = spawn(requireTool('kubectl'), ['get', 'pods', '--watch', '--no-headers', ...flags()]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.match(String((await lines.next()).value), /^p1 +0\/1 +Completed/u);
  const gone = until(
    plane.api,
    pods,
    (pod, kind) => kind === 'deleted' && textAt(pod, 'metadata', 'name') === 'p1',
  );
  assert.equal(await kubectl('delete', 'pod', 'p1'), 'pod "p1" deleted\n');
  await gone;
  assert.match(String((await lines.next()).value), /^p1 /u);
  child.kill();
  await once(child, 'exit');
});

test('labels and cordons, and says what it may do', async () => {
  await kubectl('cordon', 'gpu-1');
  assert.match(await kubectl('get', 'nodes'), /Ready,SchedulingDisabled/u);
  await kubectl('uncordon', 'gpu-1');
  await kubectl('label', 'node', 'gpu-1', 'a=b');
  assert.match(await kubectl('get', 'nodes', '-l', 'a=b'), /gpu-1/u);
  assert.equal(await kubectl('auth', 'can-i', 'create', 'pods'), 'yes\n');
});

test('tells a missing pod as usual', async () => {
  await assert.rejects(
    kubectl('get', 'pod', 'nope'),
    /Error from server \(NotFound\): pods "nope" not found/u,
  );
});
