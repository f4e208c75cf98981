import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import { CoreV1Api, KubeConfig, ListWatch, Log, Watch, V1Pod } from '@kubernetes/client-node';
import { pods } from '../../../src/embedded/api/resources.ts';
import { textAt } from '../../../src/embedded/api/json.ts';
import { podManifest, startControlPlane, until } from '../../support/embedded-control-plane.ts';
import { suite } from '../../support/suite.ts';

const test = suite('client-node against the embedded cluster');
let plane: Awaited<ReturnType<typeof startControlPlane>>;
let config: KubeConfig;
let core: CoreV1Api;
const namespace = 'default';
/** Typed requests want instances of the client's own classes. */
const pod = (name: string, image: string): V1Pod => Object.assign(new V1Pod(), podManifest(name, image));
const running = (name: string) =>
  until(plane.api, pods, (pod) => pod.metadata.name === name && textAt(pod, 'status', 'phase') === 'Running');

test.before(async () => {
  plane = await startControlPlane();
  plane.runtime.images.set('a:1', { lines: ['hello', 'ready'] });
  config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'embedded', server: plane.api.url, skipTLSVerify: true },
    { name: 'nobody' },
  );
  core = config.makeApiClient(CoreV1Api);
});
test.after(async () => {
  await plane[Symbol.asyncDispose]();
});

test('creates, reads, lists and deletes', async () => {
  await core.createNamespacedPod({ namespace, body: pod('p1', 'a:1') });
  await running('p1');
  const read = await core.readNamespacedPod({ namespace, name: 'p1' });
  assert.equal(read.status?.phase, 'Running');
  assert.ok(read.status.startTime instanceof Date);
  const events = await core.listNamespacedEvent({
    namespace,
    fieldSelector: `involvedObject.uid=${read.metadata?.uid ?? ''}`,
  });
  assert.equal(events.items.length, 5);
  assert.equal((await core.listNode()).items[0]?.status?.allocatable?.['nvidia.com/gpu'], '2');
  const gone = until(plane.api, pods, (_pod, kind) => kind === 'deleted');
  await core.deleteNamespacedPod({ namespace, name: 'p1' });
  await gone;
  await assert.rejects(core.readNamespacedPod({ namespace, name: 'p1' }), { code: 404 });
});

test('follows a log, and a follower that leaves disturbs nobody', async () => {
  await core.createNamespacedPod({ namespace, body: pod('p2', 'a:1') });
  await running('p2');
  const stream = new PassThrough();
  await new Log(config).log(namespace, 'p2', 'main', stream, { follow: true, timestamps: true });
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  // The one that leaves is a plain request: aborting client-node's own raises an error nobody can catch.
  const leaving = new AbortController();
  const path = `/api/v1/namespaces/${namespace}/pods/p2/log?follow=true`;
  const leaver = await fetch(`${plane.api.url}${path}`, { signal: leaving.signal });
  const reader = leaver.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader?.read())?.value, 'hello\nready\n');
  assert.match(await next(), /\.\d{9}Z hello$/u);
  assert.match(await next(), / ready$/u);
  leaving.abort();
  plane.runtime.say('p2', 'main', 'later');
  assert.match(await next(), / later$/u);
  plane.runtime.end('p2', 'main', { exitCode: 0, reason: 'Completed' });
  assert.equal((await lines.next()).done, true);
});

test('watches, ends cleanly at timeoutSeconds and goes on from a version', async () => {
  const list = await core.listNamespacedPod({ namespace });
  const seen: string[] = [];
  const watchOnce = (resourceVersion: string, started: () => Promise<void>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      new Watch(config)
        .watch(
          `/api/v1/namespaces/${namespace}/pods`,
          { resourceVersion, timeoutSeconds: 1 },
          (type: string, pod: V1Pod) => {
            seen.push(`${type} ${pod.metadata?.name ?? ''}`);
          },
          resolve,
        )
        .then(started)
        .catch(reject);
    });
  const error = await watchOnce(list.metadata?.resourceVersion ?? '', async () => {
    await core.createNamespacedPod({ namespace, body: pod('p3', 'a:1') });
  });
  assert.equal(error ?? null, null);
  assert.equal(seen[0], 'ADDED p3');
  const before = plane.api.store.version;
  await core.deleteNamespacedPod({ namespace, name: 'p3' });
  await watchOnce(String(before), () => Promise.resolve());
  assert.equal(seen.at(-1), 'DELETED p3');
});

test('feeds a ListWatch', async () => {
  const informer = new ListWatch<V1Pod>(`/api/v1/namespaces/${namespace}/pods`, new Watch(config), () =>
    core.listNamespacedPod({ namespace }),
  );
  const added = Promise.withResolvers<string>();
  informer.on('add', (pod) => {
    if (pod.metadata?.name === 'p4') added.resolve('p4');
  });
  await informer.start();
  await core.createNamespacedPod({ namespace, body: pod('p4', 'a:1') });
  assert.equal(await added.promise, 'p4');
  await informer.stop();
});
