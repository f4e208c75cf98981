import assert from 'node:assert/strict';
import { objectsAt, textAt, type JsonObject } from '../../../src/embedded/api/json.ts';
import { keyOf, type KubeObject } from '../../../src/embedded/api/kube-object.ts';
import { events, nodes, pods, runtimeClasses } from '../../../src/embedded/api/resources.ts';
import { secondsText } from '../../../src/embedded/api/rfc3339.ts';
import {
  gpuNode,
  podManifest,
  send,
  startControlPlane,
  until,
} from '../../support/embedded-control-plane.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { suite } from '../../support/suite.ts';

const test = suite('kubelet');
type Plane = Awaited<ReturnType<typeof startControlPlane>>;
const podsPath = '/api/v1/namespaces/default/pods';

const withPlane = async (
  body: (plane: Plane, clock: ManualClock) => Promise<void>,
  planeNodes?: Parameters<typeof startControlPlane>[0],
): Promise<void> => {
  const clock = new ManualClock();
  const plane = await startControlPlane({ clock, ...planeNodes });
  try {
    await body(plane, clock);
  } finally {
    await plane[Symbol.asyncDispose]();
  }
  assert.deepEqual(plane.errors, []);
};

const create = async (
  plane: Plane,
  name: string,
  image: string,
  spec?: JsonObject,
  container?: JsonObject,
) => {
  const made = await send(plane.api, 'POST', podsPath, podManifest(name, image, spec, container));
  assert.equal(made.code, 201, made.text);
};
const untilPhase = (plane: Plane, name: string, phase: string): Promise<KubeObject> =>
  until(plane.api, pods, (pod) => pod.metadata.name === name && textAt(pod, 'status', 'phase') === phase);
const untilWaiting = (plane: Plane, name: string, reason: string): Promise<KubeObject> =>
  until(
    plane.api,
    pods,
    (pod) =>
      pod.metadata.name === name &&
      textAt(objectsAt(pod, 'status', 'containerStatuses')[0], 'state', 'waiting', 'reason') === reason,
  );
const eventsOf = (plane: Plane, name: string): readonly KubeObject[] =>
  plane.api.store
    .list(events)
    .filter((event) => textAt(event, 'involvedObject', 'name') === name)
    .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion));
const told = (plane: Plane, name: string): string[] =>
  eventsOf(plane, name).map((event) => `${textAt(event, 'reason') ?? ''}: ${textAt(event, 'message') ?? ''}`);

test('takes a pod through its phases with the events of a real kubelet', () =>
  withPlane(async (plane) => {
    plane.runtime.images.set('reg/a:1', { sizeBytes: 4242 });
    await create(
      plane,
      'p1',
      'reg/a:1',
      {},
      {
        command: ['serve', '$(PORT)'],
        args: ['--name=$(NAME)', '$$(PORT)', '$(UNKNOWN)'],
        env: [
          { name: 'PORT', value: '80' },
          { name: 'NAME', value: 'n$(PORT)' },
        ],
      },
    );
    const pod = await untilPhase(plane, 'p1', 'Running');
    assert.deepEqual(told(plane, 'p1'), [
      'Scheduled: Successfully assigned default/p1 to gpu-1',
      'Pulling: Pulling image "reg/a:1"',
      'Pulled: Successfully pulled image "reg/a:1" in 0s (0s including waiting). Image size: 4242 bytes.',
      'Created: Created container: main',
      'Started: Started container main',
    ]);
    const [scheduled, ...ofKubelet] = eventsOf(plane, 'p1');
    assert.match(textAt(scheduled, 'eventTime') ?? '', /\.\d{6}Z$/u);
    assert.equal(scheduled?.['firstTimestamp'], null);
    let beforeNs = 0n;
    for (const event of ofKubelet) {
      const hex = /^p1\.([0-9a-f]{16})$/u.exec(event.metadata.name)?.[1];
      const atNs = BigInt(`0x${hex ?? '0'}`);
      assert.equal(textAt(event, 'firstTimestamp'), secondsText(atNs));
      assert.equal(textAt(event, 'lastTimestamp'), secondsText(atNs));
      assert.ok(atNs > beforeNs, 'in order');
      beforeNs = atNs;
      assert.equal(event['count'], 1);
      assert.equal(event['eventTime'], null);
      assert.deepEqual(event['source'], { component: 'kubelet', host: 'gpu-1' });
      assert.equal(textAt(event, 'involvedObject', 'uid'), pod.metadata.uid);
      assert.equal(textAt(event, 'involvedObject', 'fieldPath'), 'spec.containers{main}');
    }
    const conditions = objectsAt(pod, 'status', 'conditions').map((each) => [each['type'], each['status']]);
    assert.deepEqual(Object.fromEntries(conditions), {
      PodScheduled: 'True',
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
    });
    assert.equal(textAt(pod, 'status', 'podIP'), '10.244.1.2');
    const spec = plane.runtime.created[0];
    assert.deepEqual(spec?.command, ['serve', '80', '--name=n80', '$(PORT)', '$(UNKNOWN)']);
    assert.deepEqual(
      [...spec.environment],
      [
        ['PORT', '80'],
        ['NAME', 'n80'],
      ],
    );

    plane.runtime.end('p1', 'main', { exitCode: 0, reason: 'Completed' });
    const done = await untilPhase(plane, 'p1', 'Succeeded');
    const state = objectsAt(done, 'status', 'containerStatuses')[0];
    assert.equal(textAt(state, 'state', 'terminated', 'reason'), 'Completed');
  }));

test('does not pull what is present, and never with pull policy Never', () =>
  withPlane(async (plane) => {
    plane.runtime.present.add('a:1');
    await create(plane, 'warm', 'a:1');
    await untilPhase(plane, 'warm', 'Running');
    assert.equal(told(plane, 'warm')[1], 'Pulled: Container image "a:1" already present on machine');
    await create(plane, 'never', 'b:1', {}, { imagePullPolicy: 'Never' });
    await untilWaiting(plane, 'never', 'ErrImageNeverPull');
    assert.equal(plane.runtime.pulled.length, 0);
    assert.ok(
      told(plane, 'never').includes(
        'ErrImageNeverPull: Container image "b:1" is not present with pull policy of Never',
      ),
    );
    await create(plane, 'always', 'a:1', {}, { imagePullPolicy: 'Always' });
    await untilPhase(plane, 'always', 'Running');
    assert.equal(plane.runtime.pulled.length, 1);
  }));

test('backs off from a failing pull, counts repeated events, and recovers', () =>
  withPlane(async (plane, clock) => {
    plane.runtime.images.set('b:1', { pulls: ['not found', 'not found', undefined] });
    await create(plane, 'p', 'b:1');
    await untilWaiting(plane, 'p', 'ErrImagePull');
    const log = await send(plane.api, 'GET', `${podsPath}/p/log`);
    assert.equal(log.code, 400);
    assert.equal(
      log.body.message,
      'container "main" in pod "p" is waiting to start: trying and failing to pull image',
    );
    const backOff = untilWaiting(plane, 'p', 'ImagePullBackOff');
    await clock.advance(1000);
    const waiting = objectsAt(await backOff, 'status', 'containerStatuses')[0];
    assert.equal(
      textAt(waiting, 'state', 'waiting', 'message'),
      'Back-off pulling image "b:1": ErrImagePull: not found',
    );
    assert.equal(plane.runtime.pulled.length, 1);
    await clock.advance(8999);
    assert.equal(plane.runtime.pulled.length, 1, 'ten seconds are not over');
    const again = untilWaiting(plane, 'p', 'ErrImagePull');
    await clock.advance(1);
    await again;
    assert.equal(plane.runtime.pulled.length, 2);
    const running = untilPhase(plane, 'p', 'Running');
    await clock.advance(1000);
    await clock.advance(18_999);
    assert.equal(plane.runtime.pulled.length, 2, 'twenty seconds are not over');
    await clock.advance(1);
    await running;
    const failed = eventsOf(plane, 'p').find(
      (event) => textAt(event, 'message') === 'Failed to pull image "b:1": not found',
    );
    assert.equal(failed?.['count'], 2);
    assert.equal(told(plane, 'p').filter((each) => each.startsWith('Pulling')).length, 1);
  }));

test('restarts a crashing container at once, then with back-off, and keeps its previous log', () =>
  withPlane(async (plane, clock) => {
    plane.runtime.images.set('c:1', { lines: ['boom'], exit: { exitCode: 1, reason: 'Error' } });
    await create(plane, 'p', 'c:1', { restartPolicy: 'OnFailure' });
    const pod = await untilWaiting(plane, 'p', 'CrashLoopBackOff');
    const status = objectsAt(pod, 'status', 'containerStatuses')[0];
    assert.deepEqual([status?.['restartCount'], textAt(pod, 'status', 'phase')], [1, 'Running']);
    assert.match(
      textAt(status, 'state', 'waiting', 'message') ?? '',
      /^back-off 10s restarting failed container=main pod=p_default\(/u,
    );
    assert.equal(textAt(status, 'lastState', 'terminated', 'reason'), 'Error');
    assert.equal(plane.runtime.created.length, 2);
    assert.equal((await send(plane.api, 'GET', `${podsPath}/p/log?previous=true`)).text, 'boom\n');
    plane.runtime.images.set('c:1', { exit: { exitCode: 0, reason: 'Completed' } });
    const done = untilPhase(plane, 'p', 'Succeeded');
    await clock.advance(10_000);
    await done;
  }));

test('a crash ends a pod with restart policy Never, and so does a process that cannot start', () =>
  withPlane(async (plane) => {
    plane.runtime.images.set('c:1', { exit: { exitCode: 137, reason: 'OOMKilled' } });
    plane.runtime.images.set('d:1', { startError: 'exec: "x": not found' });
    await create(plane, 'oom', 'c:1');
    const oom = objectsAt(await untilPhase(plane, 'oom', 'Failed'), 'status', 'containerStatuses')[0];
    assert.equal(textAt(oom, 'state', 'terminated', 'reason'), 'OOMKilled');
    await create(plane, 'bad', 'd:1');
    const bad = objectsAt(await untilPhase(plane, 'bad', 'Failed'), 'status', 'containerStatuses')[0];
    assert.equal(textAt(bad, 'state', 'terminated', 'reason'), 'StartError');
  }));

test('gives the runtime the handler of the RuntimeClass, and says when the node has none', () =>
  withPlane(async (plane, clock) => {
    for (const handler of ['nydus', 'kata'])
      plane.api.store.create(runtimeClasses, { metadata: { name: handler }, handler });
    await create(plane, 'lazy', 'a:1', { runtimeClassName: 'nydus' });
    await untilPhase(plane, 'lazy', 'Running');
    assert.deepEqual(plane.runtime.pulled, [{ reference: 'a:1', handler: 'nydus' }]);
    assert.equal(plane.runtime.created[0]?.runtimeHandler, 'nydus');
    await create(plane, 'kata', 'a:1', { runtimeClassName: 'kata' });
    const event = await until(
      plane.api,
      events,
      (each) => textAt(each, 'reason') === 'FailedCreatePodSandBox',
    );
    assert.match(textAt(event, 'message') ?? '', /no runtime for "kata" is configured$/u);
    await clock.advance(10_000);
    assert.equal(plane.api.store.get(events, keyOf(event))?.['count'], 2, 'tried again');
  }));

test('stops and removes the container before the pod goes, also in the middle of a pull', () =>
  withPlane(async (plane) => {
    await create(plane, 'p', 'a:1');
    await untilPhase(plane, 'p', 'Running');
    const gone = until(plane.api, pods, (pod, kind) => kind === 'deleted' && pod.metadata.name === 'p');
    assert.equal((await send(plane.api, 'DELETE', `${podsPath}/p?gracePeriodSeconds=30`)).code, 200);
    await gone;
    assert.equal(plane.runtime.running.size, 0);
    assert.ok(told(plane, 'p').includes('Killing: Stopping container main'));

    plane.runtime.images.set('b:1', { hangs: true });
    await create(plane, 'q', 'b:1');
    const pulling = await until(
      plane.api,
      events,
      (each) => textAt(each, 'message') === 'Pulling image "b:1"',
    );
    assert.ok(pulling);
    const away = until(plane.api, pods, (pod, kind) => kind === 'deleted' && pod.metadata.name === 'q');
    await send(plane.api, 'DELETE', `${podsPath}/q`);
    await away;
    assert.equal(
      plane.runtime.created.some((each) => each.podName === 'q'),
      false,
    );
  }));

test('runs a pod that names its node without asking the scheduler', () =>
  withPlane(async (plane) => {
    await create(plane, 'p', 'a:1', { nodeName: 'gpu-1' });
    await untilPhase(plane, 'p', 'Running');
    assert.equal(
      told(plane, 'p').some((each) => each.startsWith('Scheduled')),
      false,
    );
  }));

test('a pod that fits nowhere waits, and is placed when another one leaves', () =>
  withPlane(async (plane) => {
    const gpus = { resources: { limits: { 'nvidia.com/gpu': 2 } } };
    await create(plane, 'a', 'a:1', {}, gpus);
    await untilPhase(plane, 'a', 'Running');
    await create(plane, 'b', 'a:1', {}, gpus);
    const refused = await until(plane.api, events, (each) => textAt(each, 'reason') === 'FailedScheduling');
    assert.match(
      textAt(refused, 'message') ?? '',
      /^0\/1 nodes are available: 1 Insufficient nvidia.com\/gpu\./u,
    );
    const running = untilPhase(plane, 'b', 'Running');
    await send(plane.api, 'DELETE', `${podsPath}/a`);
    await running;
  }));

test('two hundred pods at once keep the order of their events', () =>
  withPlane(
    async (plane) => {
      const names = Array.from({ length: 200 }, (_each, index) => `p${String(index)}`);
      await Promise.all(names.map((name) => create(plane, name, `${name}:1`)));
      await Promise.all(names.map((name) => untilPhase(plane, name, 'Running')));
      const order = ['Scheduled', 'Pulling', 'Pulled', 'Created', 'Started'];
      for (const name of names)
        assert.deepEqual(
          told(plane, name).map((each) => each.split(':')[0]),
          order,
        );
      const uniqueIps = new Set(plane.api.store.list(pods).map((pod) => textAt(pod, 'status', 'podIP')));
      assert.equal(uniqueIps.size, 200);
      assert.equal(plane.api.store.list(nodes).length, 2);
    },
    { nodes: [gpuNode(1), gpuNode(2)] },
  ));
