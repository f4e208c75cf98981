import assert from 'node:assert/strict';
import type http from 'node:http';
import { openCluster } from '../../src/cluster/open-cluster.ts';
import type { WatchSink } from '../../src/cluster/watch-resource.ts';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { systemClock } from '../../src/units/system-clock.ts';
import {
  fakeList,
  fakeObject,
  sendJson,
  startFakeApiServer,
  watchEvent,
  type FakeHandler,
} from '../support/fake-api-server.ts';
import { suite } from '../support/suite.ts';

const test = suite('watch');
const pods = '/api/v1/namespaces/bench/pods';

interface Seen {
  readonly change: string;
  readonly name: string;
}

/** Watches until `isEnough`, then stops; returns what was told. */
async function watchUntil(
  list: FakeHandler,
  watch: FakeHandler,
  isEnough: (seen: readonly Seen[], gaps: readonly (readonly [bigint, bigint])[]) => boolean,
) {
  await using server = await startFakeApiServer({
    [`GET ${pods}?fieldSelector=metadata.name%3Da&watch`]: watch,
    [`GET ${pods}`]: list,
  });
  await using cluster = await openCluster({ kubeconfigText: server.kubeconfig }, systemClock);
  const stop = new AbortController();
  const seen: (Seen & { readonly arrivedNs: bigint })[] = [];
  const gaps: (readonly [bigint, bigint])[] = [];
  let opened = 0;
  const check = (): void => {
    if (isEnough(seen, gaps)) stop.abort();
  };
  const sink: WatchSink = {
    onOpen: () => (opened += 1),
    onGap: (from, to) => {
      gaps.push([from, to]);
      check();
    },
    onObject: (change, object, arrivedNs) => {
      const { metadata } = object as { metadata: { name: string } };
      seen.push({ change, name: metadata.name, arrivedNs });
      check();
    },
  };
  await cluster.watchPod('a', sink, stop.signal);
  return { seen, gaps, opened, requests: server.requests };
}

const streaming = (response: http.ServerResponse): http.ServerResponse =>
  response.writeHead(200, { 'content-type': 'application/json' });
const names = (seen: readonly Seen[]) => seen.map(({ change, name }) => `${change} ${name}`);

test('lists, then watches from the version of the list, with bookmarks', async () => {
  const { seen, opened, requests, gaps } = await watchUntil(
    (_request, response) => sendJson(response, 200, fakeList(7, [fakeObject('a', 5)])),
    (_request, response) => void streaming(response).write(watchEvent('MODIFIED', fakeObject('a', 8))),
    (all) => all.length === 2,
  );
  assert.deepEqual(names(seen), ['ADDED a', 'MODIFIED a']);
  assert.equal(opened, 1);
  assert.deepEqual(gaps, []);
  assert.match(requests[1] ?? '', /allowWatchBookmarks=true&timeoutSeconds=25&resourceVersion=7$/u);
});

test('puts a line together that arrives in pieces, in the middle of a character', async () => {
  const line = Buffer.from(watchEvent('ADDED', fakeObject('añb', 8)));
  const { seen } = await watchUntil(
    (_request, response) => sendJson(response, 200, fakeList(7)),
    (_request, response) => {
      streaming(response).write(line.subarray(0, line.indexOf(0xc3) + 1));
      setImmediate(() => response.write(line.subarray(line.indexOf(0xc3) + 1)));
    },
    (all) => all.length === 1,
  );
  assert.deepEqual(names(seen), ['ADDED añb']);
});

test('goes on from the last bookmark after an idle end, and marks the time it was blind', async () => {
  const { seen, requests, gaps } = await watchUntil(
    (_request, response) => sendJson(response, 200, fakeList(7)),
    (_request, response, index) => {
      if (index === 0)
        streaming(response).end(watchEvent('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '90' } }));
      else streaming(response).write(watchEvent('ADDED', fakeObject('a', 91)));
    },
    (all) => all.length === 1,
  );
  assert.match(requests[2] ?? '', /resourceVersion=90$/u);
  assert.equal(gaps.length, 1);
  const [gap] = gaps;
  const [first] = seen;
  assert.ok(gap !== undefined && first !== undefined);
  assert.ok(gap[0] <= first.arrivedNs && first.arrivedNs <= gap[1], 'what was missed arrives inside the gap');
});

for (const how of ['as a status', 'inside the stream'])
  test(`lists again after 410 ${how}, tells only what changed, and marks a gap`, async () => {
    const { seen, requests, gaps } = await watchUntil(
      (_request, response, index) =>
        sendJson(
          response,
          200,
          index === 0
            ? fakeList(7, [fakeObject('a', 5), fakeObject('gone', 6)])
            : fakeList(70, [fakeObject('a', 5), fakeObject('new', 60)]),
        ),
      (_request, response, index) => {
        const gone = { kind: 'Status', code: 410, message: 'too old resource version' };
        if (index > 0) streaming(response);
        else if (how === 'as a status') sendJson(response, 410, gone);
        else streaming(response).end(watchEvent('ERROR', gone));
      },
      (all, blind) => all.length >= 4 && blind.length > 0,
    );
    assert.deepEqual(names(seen), ['ADDED a', 'ADDED gone', 'DELETED gone', 'ADDED new']);
    assert.equal(gaps.length, 1);
    assert.ok(requests.length >= 3);
  });

test('survives a connection that is cut in the middle of a line', async () => {
  const { seen } = await watchUntil(
    (_request, response) => sendJson(response, 200, fakeList(7)),
    (_request, response, index) => {
      const line = watchEvent('ADDED', fakeObject('a', 8));
      if (index > 0) streaming(response).write(line);
      else streaming(response).write(line.slice(0, 20), () => response.destroy());
    },
    (all) => all.length === 1,
  );
  assert.deepEqual(names(seen), ['ADDED a']);
});

test('waits as long as 429 asks and goes on', async () => {
  const { seen, requests } = await watchUntil(
    (_request, response, index) =>
      index === 0
        ? sendJson(response, 429, { kind: 'Status', message: 'busy' }, { 'retry-after': '1' })
        : sendJson(response, 200, fakeList(7, [fakeObject('a', 5)])),
    (_request, response) => void streaming(response),
    (all) => all.length === 1,
  );
  assert.deepEqual(names(seen), ['ADDED a']);
  assert.equal(requests.length, 2);
});

test('rejects when it may not list, naming verb and resource', async () => {
  await assert.rejects(
    watchUntil(
      (_request, response) => sendJson(response, 403, { kind: 'Status', message: 'User "x" cannot list' }),
      (_request, response) => void streaming(response),
      () => false,
    ),
    (error: unknown) => {
      assert.ok(error instanceof HarnessError);
      assert.equal(error.code, 'CLUSTER_FORBIDDEN');
      assert.match(error.message, /not allowed to list pods in namespace bench: User "x" cannot list/u);
      return true;
    },
  );
});
