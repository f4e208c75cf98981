import assert from 'node:assert/strict';
import { startApiServer, type ApiServer } from '../../../src/embedded/api/api-server.ts';
import { systemClock } from '../../../src/units/system-clock.ts';
import { parseAnswer, parseAnswers, podManifest, send } from '../../support/embedded-control-plane.ts';
import { suite } from '../../support/suite.ts';

const test = suite('API answers');
const podsPath = '/api/v1/namespaces/default/pods';

const withServer = async (body: (api: ApiServer) => Promise<void>, historyLimit?: number): Promise<void> => {
  const api = await startApiServer({
    clock: systemClock,
    ...(historyLimit === undefined ? {} : { historyLimit }),
  });
  try {
    await body(api);
  } finally {
    await api[Symbol.asyncDispose]();
  }
};

test('says what is missing as a Status with details', () =>
  withServer(async (api) => {
    const pod = await send(api, 'GET', `${podsPath}/x`);
    assert.equal(pod.code, 404);
    assert.deepEqual(pod.body, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'pods "x" not found',
      reason: 'NotFound',
      details: { name: 'x', kind: 'pods' },
      code: 404,
    });
    const kind = await send(api, 'GET', '/api/v1/nopes');
    assert.deepEqual(
      [kind.code, kind.body.message],
      [404, 'the server could not find the requested resource'],
    );
    const namespace = await send(api, 'POST', '/api/v1/namespaces/no/pods', podManifest('x', 'a:1'));
    assert.deepEqual([namespace.code, namespace.body.message], [404, 'namespaces "no" not found']);
    const method = await send(api, 'PUT', '/api/v1/pods', {});
    assert.deepEqual([method.code, method.body.reason], [405, 'MethodNotAllowed']);
  }));

test('lists every broken rule of a pod in one 422', () =>
  withServer(async (api) => {
    const empty = await send(api, 'POST', podsPath, {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'x' },
      spec: {},
    });
    assert.equal(empty.code, 422);
    assert.equal(empty.body.message, 'Pod "x" is invalid: spec.containers: Required value');
    assert.deepEqual(empty.body.details, {
      name: 'x',
      kind: 'Pod',
      causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers' }],
    });
    const many = await send(api, 'POST', podsPath, {
      metadata: { name: 'X_y' },
      spec: {
        containers: [{ name: 'a' }, { image: 'b' }, { name: 'a', image: 'c' }],
        restartPolicy: 'Foo',
      },
    });
    assert.equal(many.code, 422);
    assert.deepEqual(
      many.body.details.causes.map((cause) => cause.field),
      [
        'metadata.name',
        'spec.containers[0].image',
        'spec.containers[1].name',
        'spec.containers[2].name',
        'spec.restartPolicy',
      ],
    );
    const probe = await send(api, 'POST', podsPath, podManifest('p', 'a:1', {}, { readinessProbe: {} }));
    assert.match(probe.body.message, /readinessProbe: Forbidden: the embedded cluster does not run probes/u);
  }));

test('refuses what cannot be read or is of the wrong kind', () =>
  withServer(async (api) => {
    const broken = await send(api, 'POST', podsPath, '{"apiVersion":');
    assert.deepEqual([broken.code, broken.body.reason], [400, 'BadRequest']);
    const csv = await send(api, 'POST', podsPath, 'a,b', 'text/csv');
    assert.deepEqual([csv.code, csv.body.reason], [415, 'UnsupportedMediaType']);
    const node = await send(api, 'POST', podsPath, {
      kind: 'Node',
      apiVersion: 'v1',
      metadata: { name: 'x' },
    });
    assert.equal(node.code, 400);
    const other = await send(api, 'POST', podsPath, { metadata: { name: 'x', namespace: 'other' } });
    assert.match(other.body.message, /namespace of the provided object does not match/u);
    const quantity = await send(
      api,
      'POST',
      podsPath,
      podManifest('q', 'a:1', {}, { resources: { limits: { cpu: 'x' } } }),
    );
    assert.match(quantity.body.message, /quantities must match/u);
    const runtime = await send(api, 'POST', podsPath, podManifest('r', 'a:1', { runtimeClassName: 'foo' }));
    assert.equal(runtime.code, 403);
    assert.equal(runtime.body.message, 'pods "r" is forbidden: pod rejected: RuntimeClass "foo" not found');
  }));

test('guards updates by version and keeps a pod spec fixed', () =>
  withServer(async (api) => {
    const created = await send(api, 'POST', podsPath, podManifest('p', 'a:1'));
    assert.equal(created.code, 201);
    assert.equal(created.body.spec.containers[0]?.['imagePullPolicy'], 'IfNotPresent');
    const again = await send(api, 'POST', podsPath, podManifest('p', 'a:1'));
    assert.deepEqual([again.code, again.body.message], [409, 'pods "p" already exists']);
    const stale = { ...created.body, metadata: { ...created.body.metadata, resourceVersion: '1' } };
    const conflict = await send(api, 'PUT', `${podsPath}/p`, stale);
    assert.equal(conflict.code, 409);
    assert.match(
      conflict.body.message,
      /^Operation cannot be fulfilled on pods "p": the object has been modified/u,
    );
    const merge = 'application/merge-patch+json';
    const frozen = await send(api, 'PATCH', `${podsPath}/p`, { spec: { restartPolicy: 'Always' } }, merge);
    assert.equal(frozen.code, 422);
    const labelled = await send(api, 'PATCH', `${podsPath}/p`, { metadata: { labels: { a: 'b' } } }, merge);
    assert.deepEqual([labelled.code, labelled.body.metadata.labels], [200, { a: 'b' }]);
    const json = [{ op: 'add', path: '/metadata/labels/c', value: 'd' }];
    const both = await send(api, 'PATCH', `${podsPath}/p`, json, 'application/json-patch+json');
    assert.deepEqual(both.body.metadata.labels, { a: 'b', c: 'd' });
    const wrongType = await send(api, 'PATCH', `${podsPath}/p`, {}, 'text/plain');
    assert.equal(wrongType.code, 415);
    const status = await send(
      api,
      'PATCH',
      `${podsPath}/p/status`,
      { status: { phase: 'Failed' }, spec: { nodeName: 'x' } },
      'application/strategic-merge-patch+json',
    );
    assert.deepEqual([status.body.status.phase, status.body.spec.nodeName], ['Failed', undefined]);
    const uid = await send(api, 'DELETE', `${podsPath}/p`, { preconditions: { uid: 'other' } });
    assert.equal(uid.code, 409);
  }));

test('pages a list at the version of its first page', () =>
  withServer(async (api) => {
    for (const name of ['a', 'b', 'c']) await send(api, 'POST', podsPath, podManifest(name, 'a:1'));
    const first = await send(api, 'GET', `${podsPath}?limit=2`);
    assert.deepEqual(
      first.body.items.map((pod) => pod.metadata.name),
      ['a', 'b'],
    );
    assert.equal(first.body.metadata.remainingItemCount, 1);
    await send(api, 'DELETE', `${podsPath}/c`);
    await send(api, 'POST', podsPath, podManifest('d', 'a:1'));
    const token = encodeURIComponent(first.body.metadata.continue);
    const second = await send(api, 'GET', `${podsPath}?limit=2&continue=${token}`);
    assert.deepEqual(
      second.body.items.map((pod) => pod.metadata.name),
      ['c'],
    );
    assert.equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
    assert.equal((await send(api, 'GET', `${podsPath}?continue=abc`)).code, 400);
  }));

test('selects by labels and fields and refuses fields that cannot be selected', () =>
  withServer(async (api) => {
    for (const [name, app] of [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'x'],
    ] as const)
      await send(api, 'POST', podsPath, { ...podManifest(name, 'a:1'), metadata: { name, labels: { app } } });
    const names = async (query: string): Promise<readonly string[]> =>
      (await send(api, 'GET', `${podsPath}?${query}`)).body.items.map((pod) => pod.metadata.name);
    assert.deepEqual(await names('labelSelector=app%3Dx'), ['a', 'c']);
    assert.deepEqual(await names('labelSelector=app%20notin%20(x,z)'), ['b']);
    assert.deepEqual(await names('labelSelector=!app'), []);
    assert.deepEqual(await names('fieldSelector=metadata.name%3Db'), ['b']);
    assert.deepEqual(await names('fieldSelector=spec.nodeName%3D,status.phase%3DPending'), ['a', 'b', 'c']);
    const unknown = await send(api, 'GET', `${podsPath}?fieldSelector=spec.foo%3Dbar`);
    assert.deepEqual([unknown.code, unknown.body.message], [400, 'field label not supported: spec.foo']);
  }));

test('answers 410 once a version has left the history', () =>
  withServer(async (api) => {
    await send(api, 'POST', podsPath, podManifest('a', 'a:1'));
    await send(api, 'POST', podsPath, podManifest('b', 'a:1'));
    const first = await send(api, 'GET', `${podsPath}?limit=1`);
    for (let i = 0; i < 30; i += 1)
      await send(
        api,
        'PATCH',
        `${podsPath}/a`,
        { metadata: { labels: { i: String(i) } } },
        'application/merge-patch+json',
      );
    const token = encodeURIComponent(first.body.metadata.continue);
    const page = await send(api, 'GET', `${podsPath}?continue=${token}`);
    assert.deepEqual([page.code, page.body.reason], [410, 'Expired']);
    const watch = await send(api, 'GET', `${podsPath}?watch=1&resourceVersion=3`);
    assert.equal(watch.code, 200);
    const event = parseAnswer(watch.text);
    assert.equal(event.type, 'ERROR');
    assert.deepEqual([event.object.code, event.object.reason], [410, 'Expired']);
    assert.match(event.object.message, /^too old resource version: 3 \(\d+\)$/u);
  }, 10));

test('ends a watch cleanly after timeoutSeconds, with a bookmark to come back from', () =>
  withServer(async (api) => {
    await send(api, 'POST', podsPath, podManifest('a', 'a:1'));
    const path = `${podsPath}?watch=1&timeoutSeconds=1&allowWatchBookmarks=true`;
    const { text } = await send(api, 'GET', path);
    const events = parseAnswers(text);
    assert.deepEqual(
      events.map((event) => event.type),
      ['ADDED', 'BOOKMARK'],
    );
    const version = String(events[1]?.object.metadata.resourceVersion);
    await send(api, 'DELETE', `${podsPath}/a`);
    const resumed = await send(api, 'GET', `${podsPath}?watch=1&timeoutSeconds=1&resourceVersion=${version}`);
    const types = parseAnswers(resumed.text).map((event) => event.type);
    assert.deepEqual(types, ['MODIFIED', 'DELETED']);
  }));

test('forwards to a pod what is sent to its proxy, without the credentials', () =>
  withServer(async (api) => {
    await send(api, 'POST', podsPath, podManifest('agent', 'a:1'));
    assert.equal((await send(api, 'GET', `${podsPath}/agent/proxy/x`)).body.message, 'address not allowed');
    await send(
      api,
      'PATCH',
      `${podsPath}/agent/status`,
      { status: { podIP: '10.1.2.3' } },
      'application/merge-patch+json',
    );
    const refused = await send(api, 'GET', `${podsPath}/agent:9000/proxy/x`);
    assert.equal(refused.code, 503);
    assert.equal(
      refused.body.message,
      'error trying to reach service: dial tcp 10.1.2.3:9000: connect: connection refused',
    );
    const stop = api.registerPodProxy('default', 'agent', async (request) =>
      Response.json(
        {
          url: request.url,
          method: request.method,
          body: await request.text(),
          headers: Object.fromEntries(request.headers),
        },
        { status: 418 },
      ),
    );
    const response = await fetch(`${api.url}${podsPath}/http:agent:9000/proxy/v1/clock?a=b%2Fc`, {
      method: 'POST',
      headers: { authorization: 'Bearer secret', 'x-lazybench-token': 'ours' },
      body: 'hello',
    });
    const seen = parseAnswer(await response.text());
    assert.equal(response.status, 418);
    assert.equal(seen.url, 'http://10.1.2.3:9000/v1/clock?a=b%2Fc');
    assert.deepEqual([seen.method, seen.body], ['POST', 'hello']);
    assert.equal(seen.headers['authorization'], undefined);
    assert.equal(seen.headers['x-lazybench-token'], 'ours');
    assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1');
    stop();
    assert.equal((await send(api, 'GET', `${podsPath}/agent:9000/proxy/x`)).code, 503);
  }));

test('shows the same events in both groups', () =>
  withServer(async (api) => {
    const event = {
      metadata: { name: 'e.1' },
      regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
      note: 'hello',
      reason: 'Test',
      type: 'Normal',
      eventTime: '2026-11-23T10:00:00.123456Z',
      reportingController: 'test',
    };
    const path = '/namespaces/default/events';
    assert.equal((await send(api, 'POST', `/apis/events.k8s.io/v1${path}`, event)).code, 201);
    const core = await send(api, 'GET', `/api/v1${path}?fieldSelector=involvedObject.name%3Dp`);
    assert.deepEqual(
      [core.body.items[0]?.message, core.body.items[0]?.eventTime],
      ['hello', event.eventTime],
    );
    const v1 = await send(api, 'GET', `/apis/events.k8s.io/v1${path}`);
    assert.equal(v1.body.items[0]?.note, 'hello');
  }));

test('says PORT_IN_USE', () =>
  withServer(async (api) => {
    const port = Number(new URL(api.url).port);
    await assert.rejects(startApiServer({ clock: systemClock, port }), { code: 'PORT_IN_USE' });
  }));
