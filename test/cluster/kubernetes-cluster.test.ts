import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { openCluster } from '../../src/cluster/open-cluster.ts';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { systemClock } from '../../src/units/system-clock.ts';
import {
  fakeList,
  fakeObject,
  sendJson,
  startFakeApiServer,
  type FakeHandler,
} from '../support/fake-api-server.ts';
import { suite } from '../support/suite.ts';

const test = suite('cluster');

async function withCluster<T>(
  routes: Readonly<Record<string, FakeHandler>>,
  use: (
    cluster: Awaited<ReturnType<typeof openCluster>>,
    server: Awaited<ReturnType<typeof startFakeApiServer>>,
  ) => Promise<T>,
): Promise<T> {
  await using server = await startFakeApiServer(routes);
  await using cluster = await openCluster({ kubeconfigText: server.kubeconfig }, systemClock);
  return await use(cluster, server);
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof HarnessError, String(error));
    return `${error.code}: ${error.message}`;
  }
  return 'no error';
};

test('takes context and namespace from the kubeconfig and sends the credentials', async () => {
  let authorization: string | undefined;
  await withCluster(
    {
      'GET /version': (request, response) => {
        authorization = request.headers.authorization;
        sendJson(response, 200, { gitVersion: 'v1.34.0' });
      },
    },
    async (cluster) => {
      assert.equal(await cluster.version(), 'v1.34.0');
      assert.equal(cluster.namespace, 'bench');
      assert.equal(cluster.context, 'fake');
    },
  );
  assert.equal(authorization, 'Bearer secret');
});

test('refuses a context that the kubeconfig does not have, and a file that is not there', async () => {
  const kubeconfigText = JSON.stringify({ clusters: [], users: [], contexts: [] });
  assert.match(
    await codeOf(openCluster({ kubeconfigText, context: 'prod' }, systemClock)),
    /^CLUSTER_CONFIG_INVALID: the kubeconfig has no context `prod` \(it has: none\)$/u,
  );
  assert.match(
    await codeOf(openCluster({ kubeconfig: '/nowhere/config' }, systemClock)),
    /^CLUSTER_CONFIG_INVALID: cannot read the kubeconfig: ENOENT/u,
  );
});

test('says which server cannot be reached', async () => {
  const server = await startFakeApiServer({});
  const { kubeconfig, url } = server;
  await server[Symbol.asyncDispose]();
  await using cluster = await openCluster({ kubeconfigText: kubeconfig }, systemClock);
  const told = await codeOf(cluster.version());
  assert.ok(
    told.startsWith(`CLUSTER_UNREACHABLE: cannot reach the cluster at ${url} (get /version): `),
    told,
  );
});

test('tells forbidden, logged out and refused apart', async () => {
  const answer =
    (status: number, message: string): FakeHandler =>
    (_request, response) =>
      sendJson(response, status, { kind: 'Status', message });
  const create = (status: number, message: string) =>
    withCluster({ 'POST /api': answer(status, message) }, (cluster) => codeOf(cluster.createPod({})));
  assert.equal(
    await create(403, 'nope'),
    'CLUSTER_FORBIDDEN: not allowed to create pods in namespace bench: nope',
  );
  assert.match(
    await create(401, 'Unauthorized'),
    /^CLUSTER_FORBIDDEN: .* does not accept these credentials/u,
  );
  assert.match(await create(422, 'bad name'), /^CLUSTER_REFUSED: .*\(422\): bad name$/u);
});

test('reads all pages of a list', async () => {
  const node = (name: string) => ({
    ...fakeObject(name, 1),
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  const names = await withCluster(
    {
      'GET /api/v1/nodes': (request, response, index) => {
        assert.equal(request.url?.includes('continue=more'), index === 1);
        const page = fakeList(1, [node(`n${String(index)}`)]);
        sendJson(response, 200, index === 0 ? { ...page, metadata: { continue: 'more' } } : page);
      },
    },
    async (cluster) => (await cluster.nodes()).map(({ name, isReady }) => `${name} ${String(isReady)}`),
  );
  assert.deepEqual(names, ['n0 true', 'n1 true']);
});

test('deletes without grace and waits until the pod is gone', async () => {
  await withCluster(
    {
      'DELETE /api/v1/namespaces/bench/pods/p?gracePeriodSeconds=0': (_request, response) =>
        sendJson(response, 200, fakeObject('p', 1)),
      'GET /api/v1/namespaces/bench/pods/p': (_request, response, index) =>
        index < 2
          ? sendJson(response, 200, fakeObject('p', 1))
          : sendJson(response, 404, { kind: 'Status', message: 'not found' }),
    },
    async (cluster, server) => {
      await cluster.deletePod('p');
      assert.equal(server.requests.length, 4);
      await cluster.deletePod('never-there').catch(() => assert.fail('a pod that is gone is fine'));
    },
  );
});

test('proxies to a pod with method, query, body and own headers as given', async () => {
  const answer = await withCluster(
    {
      'POST /api/v1/namespaces/system/pods/agent:9000/proxy/v1/evict?x=1%2F2': async (request, response) => {
        const body = await text(request);
        response.end(`${String(request.headers['x-lazybench-token'])} ${body}`);
      },
    },
    (cluster) =>
      cluster.proxyPod({
        namespace: 'system',
        pod: 'agent',
        port: 9000,
        method: 'POST',
        path: '/v1/evict?x=1%2F2',
        headers: { 'x-lazybench-token': 't' },
        body: '{"a":1}',
      }),
  );
  assert.deepEqual(answer, { status: 200, text: 't {"a":1}' });
});

test('decodes a Secret, and a missing one is undefined', async () => {
  await withCluster(
    {
      'GET /api/v1/namespaces/s/secrets/there': (_request, response) =>
        sendJson(response, 200, { data: { token: Buffer.from('grün').toString('base64') } }),
    },
    async (cluster) => {
      assert.deepEqual(await cluster.readSecret('s', 'there'), { token: 'grün' });
      assert.equal(await cluster.readSecret('s', 'absent'), undefined);
    },
  );
});

test('follows a log over a broken connection without losing or repeating a line', async () => {
  const line = (ns: number, words: string) =>
    `2026-11-23T23:05:00.${String(ns).padStart(9, '0')}Z ${words}\n`;
  const lines: string[] = [];
  let isRunning = true;
  await withCluster(
    {
      'GET /api/v1/namespaces/bench/pods/p/log': (_request, response, index) => {
        response.writeHead(200);
        if (index === 0) {
          response.write(line(5, 'one') + line(5, 'one') + line(7, 'two') + line(9, 'cut').slice(0, 12), () =>
            response.destroy(),
          );
        } else {
          isRunning = false;
          response.end(line(5, 'one') + line(5, 'one') + line(7, 'two') + line(7, 'twin') + line(9, 'three'));
        }
      },
    },
    async (cluster, server) => {
      await cluster.followLog({
        pod: 'p',
        container: 'workload',
        signal: new AbortController().signal,
        isRunning: () => isRunning,
        onLine: ({ atNs, line: words }) => lines.push(`${String(atNs % 1_000_000_000n)} ${words}`),
      });
      assert.match(server.requests[1] ?? '', /sinceTime=2026-11-23T23:05:00Z$/u);
    },
  );
  assert.deepEqual(lines, ['5 one', '5 one', '7 two', '7 twin', '9 three']);
});
