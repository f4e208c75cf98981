import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import { CoreV1Api, KubeConfig, loadYaml, NodeV1Api, type V1Pod } from '@kubernetes/client-node';
import {
  agentTokenHeader,
  countersReply,
  evictReply,
  type CounterSources,
} from '../../src/agent/protocol.ts';
import { startEmbeddedCluster, type EmbeddedCluster } from '../../src/embedded/embedded-cluster.ts';
import type { TraceStep } from '../../src/image/access-trace.ts';
import type { ImageSource } from '../../src/image/image-source.ts';
import { traceOf } from '../support/engine-node.ts';
import { madeImage } from '../support/made-image.ts';
import { noise } from '../support/sample-image.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';

const test = suite('embedded cluster');

const start = (directory: string, rateBytesPerSecond = 100e6): Promise<EmbeddedCluster> =>
  startEmbeddedCluster({
    nodes: [{ name: 'gpu-0' }],
    directory,
    version: '0.0.0-test',
    link: { rateBytesPerSecond, latencyMs: 1, maxConnections: 8 },
  });

const apiOf = (cluster: EmbeddedCluster): CoreV1Api => {
  const config = new KubeConfig();
  config.loadFromString(cluster.kubeconfig);
  return config.makeApiClient(CoreV1Api);
};

const sample = (): Promise<ImageSource> =>
  madeImage([
    { compression: 'gzip', members: [{ name: 'lib/big.bin', content: noise('big', 4_000_000) }] },
    { compression: 'gzip', members: [{ name: 'app', content: noise('app', 200_000) }] },
  ]);

const start200k: readonly TraceStep[] = [
  { kind: 'read', atMs: 1, path: '/app', offset: 0, length: 200_000 },
  { kind: 'log', atMs: 5, line: 'loading' },
  { kind: 'read', atMs: 6, path: '/lib/big.bin', offset: 0, length: 4096 },
  { kind: 'log', atMs: 20, line: 'ready' },
];

const podOf = (name: string, image: string, runtimeClassName?: string): V1Pod =>
  loadYaml<V1Pod>(
    JSON.stringify({
      metadata: { name },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        runtimeClassName,
        tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
        containers: [{ name: 'main', image, resources: { limits: { 'nvidia.com/gpu': '1' } } }],
      },
    }),
  );

/** Asks until the answer is there; everything asked here answers within milliseconds. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Creates a pod, waits until it says ready, and returns its uid and its events. */
async function runPod(
  api: CoreV1Api,
  pod: V1Pod,
): Promise<{ uid: string; lines: string[]; events: Map<string, string> }> {
  const name = pod.metadata?.name ?? '';
  const created = await api.createNamespacedPod({ namespace: 'default', body: pod });
  const uid = created.metadata?.uid ?? '';
  const lines = await eventually(async () => {
    const log = await api
      .readNamespacedPodLog({ namespace: 'default', name })
      .catch((_notYet: unknown) => '');
    return log.includes('ready\n') ? log.trimEnd().split('\n') : undefined;
  });
  const { items } = await api.listNamespacedEvent({
    namespace: 'default',
    fieldSelector: `involvedObject.uid=${uid}`,
  });
  return {
    uid,
    lines,
    events: new Map(items.map(({ reason, message }) => [reason ?? '', message ?? ''])),
  };
}

async function deletePod(api: CoreV1Api, name: string): Promise<void> {
  await api.deleteNamespacedPod({ namespace: 'default', name });
  await eventually(async () => {
    const { items } = await api.listNamespacedPod({ namespace: 'default' });
    return items.some(({ metadata }) => metadata?.name === name) ? undefined : true;
  });
}

/** Asks the agent through the API server's pod proxy. */
async function askAgent(cluster: EmbeddedCluster, path: string, body?: object): Promise<unknown> {
  const api = apiOf(cluster);
  const secret = await api.readNamespacedSecret({
    namespace: 'lazybench-system',
    name: 'lazybench-agent-token',
  });
  const token = Buffer.from(secret.data?.['token'] ?? '', 'base64').toString();
  const { items } = await api.listNamespacedPod({
    namespace: 'lazybench-system',
    labelSelector: 'app.kubernetes.io/name=lazybench-agent',
    fieldSelector: 'spec.nodeName=gpu-0',
  });
  const agent = items[0]?.metadata?.name ?? '';
  const response = await fetch(
    `${cluster.apiUrl}/api/v1/namespaces/lazybench-system/pods/${agent}:9180/proxy${path}`,
    {
      headers: { [agentTokenHeader]: token },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    },
  );
  assert.equal(response.status, 200);
  return response.json();
}

const countersOf = async (cluster: EmbeddedCluster, uid: string): Promise<CounterSources> =>
  countersReply.parse(await askAgent(cluster, `/v1/counters?pod=${uid}`)).sources;

test('one pod of each arm runs end to end, and registry, node and engine count the same bytes', async () => {
  await using scratch = await scratchDirectory();
  await using cluster = await start(scratch.path);
  const api = apiOf(cluster);
  const oci = await cluster.stageImage(await sample(), 'acme/app:1');
  const nydus = await cluster.convertAndStage(await sample(), 'acme/app:1-nydus');
  for (const { reference } of [oci, nydus]) {
    cluster.registerArm({ reference, workload: traceOf(start200k), prefetch: { kind: 'off' } });
  }
  let cursor = 0;
  let rxBytes = 0;
  for (const [name, reference, runtimeClass] of [
    ['a', oci.reference, undefined],
    ['b', nydus.reference, 'nydus'],
  ] as const) {
    const { uid, lines, events } = await runPod(api, podOf(name, reference, runtimeClass));
    assert.deepEqual(lines, ['loading', 'ready']);
    assert.deepEqual([...events.keys()].sort(), ['Created', 'Pulled', 'Pulling', 'Scheduled', 'Started']);
    assert.match(
      events.get('Pulled') ?? '',
      /^Successfully pulled image ".*" in .* including waiting\)\. Image size: \d+ bytes\./u,
    );

    const sources = await countersOf(cluster, uid);
    const metered = await cluster.meter.since(cursor);
    cursor = metered.cursor;
    const bytes = metered.requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    const nicBytes = (sources.nic?.rxBytes ?? 0) - rxBytes;
    rxBytes = sources.nic?.rxBytes ?? 0;
    const overhead = nicBytes - bytes;
    assert.ok(
      overhead > 0 && overhead < 600 * metered.requests.length,
      `${String(overhead)} bytes of headers`,
    );
    if (name === 'a') {
      assert.equal(sources.containerd?.pulledBytes, bytes);
      assert.ok(bytes > 4_200_000);
    } else {
      const chunks = metered.requests.filter((request) => request.class === 'chunk');
      assert.equal(
        sources.nydusd?.readBytes,
        chunks.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0),
      );
      assert.ok(bytes < 1_500_000, `lazy, yet ${String(bytes)} bytes`);
    }
    assert.equal(sources.application?.readBytes, 204_096);
  }
});

test('a second run reveals itself as warm; after an eviction the pull is cold again', async () => {
  await using scratch = await scratchDirectory();
  await using cluster = await start(scratch.path);
  const api = apiOf(cluster);
  const { reference } = await cluster.convertAndStage(await sample(), 'acme/app:1-nydus');
  cluster.registerArm({ reference, workload: traceOf(start200k), prefetch: { kind: 'off' } });
  const first = await runPod(api, podOf('first', reference, 'nydus'));
  assert.match(first.events.get('Pulled') ?? '', /^Successfully pulled/u);
  await deletePod(api, 'first');
  const coldRequests = (await cluster.meter.since(0)).requests.length;

  const second = await runPod(api, podOf('second', reference, 'nydus'));
  assert.match(second.events.get('Pulled') ?? '', /already present on machine/u);
  assert.equal((await cluster.meter.since(0)).requests.length, coldRequests);
  await deletePod(api, 'second');

  const evicted = evictReply.parse(await askAgent(cluster, '/v1/evict', { references: [reference] }));
  assert.deepEqual(evicted.keptBy, []);
  assert.deepEqual(
    evicted.images.map(({ present, blobCacheFiles, snapshots }) => [present, blobCacheFiles, snapshots]),
    [[false, [], []]],
  );
  const third = await runPod(api, podOf('third', reference, 'nydus'));
  assert.match(third.events.get('Pulled') ?? '', /^Successfully pulled/u);
  assert.equal((await cluster.meter.since(0)).requests.length, 2 * coldRequests);
});

test('a Nydus image without its RuntimeClass shows containerd’s reason in the events', async () => {
  await using scratch = await scratchDirectory();
  await using cluster = await start(scratch.path);
  const api = apiOf(cluster);
  const { reference } = await cluster.convertAndStage(await sample(), 'acme/app:1-nydus');
  await api.createNamespacedPod({ namespace: 'default', body: podOf('plain', reference) });
  const message = await eventually(async () => {
    const { items } = await api.listNamespacedEvent({ namespace: 'default' });
    return items.find((event) => event.reason === 'Failed')?.message;
  });
  assert.match(message, /no processor for media-type/u);
});

test('a node looks like a GPU node, and says that it is embedded', async () => {
  await using scratch = await scratchDirectory();
  await using cluster = await start(scratch.path);
  const node = await apiOf(cluster).readNode({ name: 'gpu-0' });
  const { metadata, spec, status } = node;
  assert.equal(metadata?.labels?.['nvidia.com/gpu.product'], 'NVIDIA-H100-80GB-HBM3');
  assert.deepEqual(
    spec?.taints?.map(({ key, value, effect }) => [key, value, effect]),
    [['nvidia.com/gpu', 'present', 'NoSchedule']],
  );
  assert.deepEqual(
    [status?.allocatable?.['nvidia.com/gpu'], status?.nodeInfo?.containerRuntimeVersion],
    ['8', 'lazybench-embedded://0.0.0-test'],
  );
  const config = new KubeConfig();
  config.loadFromString(cluster.kubeconfig);
  const runtimeClass = await config.makeApiClient(NodeV1Api).readRuntimeClass({ name: 'nydus' });
  assert.equal(runtimeClass.handler, 'runc-nydus');
});

test('disposing the cluster in the middle of a pull ends it at once and leaves no file', async () => {
  await using scratch = await scratchDirectory();
  const cluster = await start(scratch.path, 500_000);
  const api = apiOf(cluster);
  const { reference } = await cluster.stageImage(await sample(), 'acme/app:1');
  await api.createNamespacedPod({ namespace: 'default', body: podOf('a', reference) });
  await eventually(async () => {
    const counters = countersReply.parse(await askAgent(cluster, '/v1/counters')).sources;
    return (counters.nic?.rxBytes ?? 0) > 100_000 ? true : undefined;
  });
  const beganMs = performance.now();
  await cluster[Symbol.asyncDispose]();
  assert.ok(performance.now() - beganMs < 2000, 'the download was waited for');
  assert.deepEqual(await fs.readdir(scratch.path), []);
});

test('a start that is given up leaves no file', async () => {
  await using scratch = await scratchDirectory();
  const starting = startEmbeddedCluster({
    nodes: [{ name: 'gpu-0' }],
    directory: scratch.path,
    version: '0',
    signal: AbortSignal.abort(new Error('Ctrl-C')),
  });
  await assert.rejects(starting, /Ctrl-C|abort/iu);
  assert.deepEqual(await fs.readdir(scratch.path), []);
});
