import assert from 'node:assert/strict';
import { discoverAgents } from '../../src/agent/discover-agents.ts';
import type { AgentHost } from '../../src/agent/agent-host.ts';
import { agentTokenHeader } from '../../src/agent/protocol.ts';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { suite } from '../support/suite.ts';

const test = suite('agent client');

type Proxied = Parameters<AgentHost['proxyPod']>[0];

const host = (change: Partial<AgentHost> = {}): AgentHost => ({
  listPods: () =>
    Promise.resolve([
      {
        metadata: { name: 'agent-x', namespace: 'lazybench-system' },
        spec: { nodeName: 'n1', containers: [{ ports: [{ name: 'agent', containerPort: 9000 }] }] },
      },
      { metadata: { name: 'agent-y' }, spec: {} },
    ]),
  readSecret: () => Promise.resolve({ token: 'hush\n' }),
  proxyPod: () => Promise.resolve({ status: 200, text: '{"atNs":"5"}' }),
  ...change,
});

const agentOf = async (change: Partial<AgentHost>) => {
  const agent = (await discoverAgents(host(change))).byNode.get('n1');
  assert.ok(agent);
  return agent;
};

test('finds the agent of each node and sends its token in its own header', async () => {
  const requests: Proxied[] = [];
  const agent = await agentOf({
    proxyPod: (request) => {
      requests.push(request);
      return Promise.resolve({ status: 200, text: '{"atNs":"5"}' });
    },
  });
  assert.deepEqual(await agent.clock(), { atNs: '5' });
  const [request] = requests;
  assert.equal(request?.pod, 'agent-x');
  assert.equal(request.port, 9000);
  assert.deepEqual(request.headers, { [agentTokenHeader]: 'hush' });
});

test('encodes a reference as one path segment', async () => {
  let path = '';
  const agent = await agentOf({
    proxyPod: (request) => {
      path = request.path;
      return Promise.resolve({ status: 404, text: 'no' });
    },
  });
  await assert.rejects(agent.image('r.io/a/b:1@sha256:00'));
  assert.equal(path, '/v1/images/r.io%2Fa%2Fb%3A1%40sha256%3A00');
});

for (const [what, answer] of [
  ['an error', { status: 503, text: 'no endpoints' }],
  ['no JSON', { status: 200, text: '<html>' }],
  ['another protocol', { status: 200, text: '{"atNs":5}' }],
] as const)
  test(`calls ${what} AGENT_UNAVAILABLE, naming the node`, async () => {
    const agent = await agentOf({ proxyPod: () => Promise.resolve(answer) });
    await assert.rejects(agent.clock(), (error: unknown) => {
      assert.ok(error instanceof HarnessError);
      assert.equal(error.code, 'AGENT_UNAVAILABLE');
      assert.match(error.message, /^the agent on n1 \(lazybench-system\/agent-x\): GET \/v1\/clock: /u);
      return true;
    });
  });

test('goes on without agents, and says why there are none', async () => {
  const none = await discoverAgents(host({ listPods: () => Promise.resolve([]) }));
  assert.deepEqual(none.missing, ['no agent runs in namespace lazybench-system']);
  const forbidden = new HarnessError('CLUSTER_FORBIDDEN', 'not allowed to list pods');
  const refused = await discoverAgents(host({ listPods: () => Promise.reject(forbidden) }));
  assert.match(refused.missing.join(), /not allowed to list pods/u);
  const tokenless = await discoverAgents(host({ readSecret: () => Promise.resolve(undefined) }));
  assert.match(tokenless.missing.join(), /has no token/u);
  await assert.rejects(
    discoverAgents(host({ listPods: () => Promise.reject(new HarnessError('CLUSTER_UNREACHABLE', 'gone')) })),
  );
});
