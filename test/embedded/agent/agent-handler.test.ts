import assert from 'node:assert/strict';
import type { z } from 'zod';
import {
  agentTokenHeader,
  clockReply,
  countersReply,
  dropCachesReply,
  evictReply,
  imageReply,
  nodeReply,
  podReply,
} from '../../../src/agent/protocol.ts';
import { createAgentHandler } from '../../../src/embedded/agent/agent-handler.ts';
import type { PodProxyHandler } from '../../../src/embedded/api/pod-proxy.ts';
import { nydusHandler } from '../../../src/embedded/engine/node-image.ts';
import { systemClock } from '../../../src/units/system-clock.ts';
import { containerSpec, startEngineNode, traceOf, type EngineNode } from '../../support/engine-node.ts';
import { madeImage } from '../../support/made-image.ts';
import { noise } from '../../support/sample-image.ts';
import { suite } from '../../support/suite.ts';

const test = suite('embedded agent');
const token = 'a token of this test';

const handlerFor = (node: EngineNode): PodProxyHandler =>
  createAgentHandler({
    node: {
      name: 'gpu-0',
      runtime: node.runtime,
      linkCounters: () => node.linkCounters(),
      amplifyBytes: 1 << 20,
    },
    token,
    version: '1.2.3',
    clock: systemClock,
  });

async function ask<T extends z.ZodType>(
  handler: PodProxyHandler,
  schema: T,
  path: string,
  init: RequestInit = {},
): Promise<z.infer<T>> {
  const response = await handler(
    new Request(`http://agent${path}`, { ...init, headers: { [agentTokenHeader]: token } }),
  );
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return schema.parse(JSON.parse(text));
}

test('no request is answered without the token, and a wrong one of any length is refused', async () => {
  await using node = await startEngineNode();
  const handler = handlerFor(node);
  for (const given of [undefined, '', 'x', `${token} `, token.toUpperCase(), 'y'.repeat(100_000)]) {
    const headers = given === undefined ? {} : { [agentTokenHeader]: given };
    const response = await handler(new Request('http://agent/v1/node', { headers }));
    // Header values lose outer white space on their way: that one is the token itself.
    assert.equal(response.status, given === `${token} ` ? 200 : 401);
  }
});

test('what is wrong with a request is answered with its status', async () => {
  await using node = await startEngineNode();
  const handler = handlerFor(node);
  const status = async (method: string, path: string, body?: string): Promise<number> =>
    (
      await handler(
        new Request(`http://agent${path}`, {
          method,
          headers: { [agentTokenHeader]: token },
          ...(body === undefined ? {} : { body }),
        }),
      )
    ).status;
  assert.equal(await status('GET', '/'), 404);
  assert.equal(await status('GET', '/v2/node'), 404);
  assert.equal(await status('POST', '/v1/node'), 404);
  assert.equal(await status('GET', '/v1/evict'), 404);
  assert.equal(await status('GET', '/v1/pods/none'), 404);
  assert.equal(await status('GET', '/v1/images/%ff'), 404);
  assert.equal(await status('POST', '/v1/evict'), 400);
  assert.equal(await status('POST', '/v1/evict', '{'), 400);
  assert.equal(await status('POST', '/v1/evict', '{"references":[]}'), 400);
  assert.equal(await status('POST', '/v1/evict', '{"references":["a"],"force":true}'), 400);
  assert.equal(await status('POST', '/v1/evict', JSON.stringify({ references: ['x'.repeat(70_000)] })), 413);
});

test('node, clock and drop-caches say what this node is and is not', async () => {
  await using node = await startEngineNode();
  const handler = handlerFor(node);
  const { statements, nodeName, runtimeHandlers } = await ask(handler, nodeReply, '/v1/node');
  assert.deepEqual(statements, ['embedded node: real bytes and requests, no kernel, FUSE or runtime cost']);
  assert.deepEqual([nodeName, runtimeHandlers], ['gpu-0', ['runc', 'runc-nydus']]);
  const before = systemClock.wallNs();
  const { atNs } = await ask(handler, clockReply, '/v1/clock');
  assert.ok(BigInt(atNs) >= before && BigInt(atNs) <= systemClock.wallNs());
  const dropped = await ask(handler, dropCachesReply, '/v1/drop-caches', { method: 'POST' });
  assert.equal(dropped.dropped, false);
});

test('a pod is accounted for from its pull to its eviction', async () => {
  await using node = await startEngineNode();
  const handler = handlerFor(node);
  const content = noise('file', 50_000);
  const source = await madeImage([{ compression: 'gzip', members: [{ name: 'file', content }] }]);
  const reference = await node.stageNydus(source, 'app');
  const empty = await ask(handler, countersReply, '/v1/counters?pod=none');
  assert.deepEqual(Object.keys(empty.sources).sort(), ['containerd', 'nic']);

  const { signal } = new AbortController();
  await node.runtime.pullImage(reference, nydusHandler, signal);
  node.behaviours.set(reference, {
    workload: traceOf([
      { kind: 'read', atMs: 0, path: '/file', offset: 10_000, length: 20_000 },
      { kind: 'log', atMs: 0, line: 'ready' },
    ]),
    prefetch: { kind: 'off' },
  });
  const spec = containerSpec(reference, nydusHandler);
  const container = await node.runtime.createContainer(spec, signal);
  await new Promise<void>((resolve) => void container.start(() => resolve()));

  const query = `/v1/counters?pod=${encodeURIComponent(spec.podUid)}`;
  const { sources } = await ask(handler, countersReply, query);
  assert.deepEqual(sources.application, { readBytes: 20_000, reads: 1 });
  assert.deepEqual(sources.chunkMap, {
    readyChunks: 1,
    totalChunks: 1,
    readyCompressedBytes: content.length,
    totalCompressedBytes: content.length,
  });
  assert.equal(sources.nydusd?.servedBytes, 20_000);

  const pod = await ask(handler, podReply, `/v1/pods/${encodeURIComponent(spec.podUid)}`);
  assert.deepEqual([pod.snapshotter, pod.lowerDirectories], ['nydus', 1]);
  assert.deepEqual(
    pod.daemons.map((daemon) => daemon.imageReference),
    [reference],
  );
  assert.deepEqual(
    pod.accesses?.map(({ path, readBytes }) => [path, readBytes]),
    [['/file', 20_000]],
  );

  const imagePath = `/v1/images/${encodeURIComponent(reference)}`;
  const image = await ask(handler, imageReply, imagePath);
  assert.equal(image.present, true);
  assert.deepEqual(
    [image.references.length, image.contentBlobs.length, image.snapshots.length, image.containers.length],
    [3, 3, 1, 1],
  );
  const evict = { method: 'POST', body: JSON.stringify({ references: [reference] }) };
  const held = await ask(handler, evictReply, '/v1/evict', evict);
  assert.match(held.keptBy.join(), /container .* uses it/u);
  await container.remove();
  const gone = await ask(handler, evictReply, '/v1/evict', evict);
  assert.deepEqual(gone.keptBy, []);
  assert.deepEqual(gone.images, [
    {
      reference,
      present: false,
      references: [],
      contentBlobs: [],
      snapshots: [],
      blobCacheFiles: [],
      containers: [],
    },
  ]);
});
