import assert from 'node:assert/strict';
import type { JsonObject } from '../../../src/embedded/api/json.ts';
import { readPod } from '../../../src/embedded/api/pod.ts';
import { defaultPod } from '../../../src/embedded/api/pod-defaults.ts';
import { readNode } from '../../../src/embedded/scheduler/cluster-node.ts';
import { findNode, type NodeUse } from '../../../src/embedded/scheduler/find-node.ts';
import { readAmounts } from '../../../src/embedded/scheduler/resource-amounts.ts';
import { suite } from '../../support/suite.ts';

const test = suite('find-node');
const meta = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-11-23T10:00:00Z' };

const node = (
  name: string,
  labels: Record<string, string> = {},
  spec: JsonObject = {},
  allocatable: Record<string, string> = { cpu: '4', memory: '8Gi', pods: '110' },
  used: Record<string, string> = {},
): NodeUse => ({
  node: readNode({
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { ...meta, name, labels },
    spec,
    status: { allocatable },
  }),
  used: readAmounts(used),
});
const pod = (requests: JsonObject, spec: JsonObject = {}) =>
  readPod({
    ...defaultPod({ spec: { ...spec, containers: [{ name: 'a', image: 'b:1', resources: { requests } }] } }),
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { ...meta, name: 'p', namespace: 'default' },
  });
const required = (...nodeSelectorTerms: JsonObject[]): JsonObject => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const message = (placement: ReturnType<typeof findNode>): string =>
  placement.kind === 'unschedulable' ? placement.message : `fits ${placement.nodeName}`;

// The cluster on which kube-scheduler 1.34.4 gave the texts below.
const five = [
  node('n1'),
  node('n2', { g: '1' }, { unschedulable: true }),
  node('n3', { g: '1' }, { taints: [{ key: 'nvidia.com/gpu', value: 'x', effect: 'NoSchedule' }] }),
  node('n4', { g: '2' }),
  node('n5', { g: '2' }, {}, { cpu: '1', memory: '8Gi', pods: '110' }),
];
const notHelpful =
  'no new claims to deallocate, preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling.';

test('explains in the words of the real scheduler why no node fits', () => {
  assert.equal(
    message(findNode(pod({ cpu: '2' }, { nodeSelector: { g: '1' } }), five)),
    `0/5 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 3 node(s) didn't match Pod's node affinity/selector. ${notHelpful}`,
  );
  assert.equal(
    message(findNode(pod({ cpu: '9' }), five)),
    `0/5 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 3 Insufficient cpu. ${notHelpful}`,
  );
  const byName = (name: string) =>
    required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] });
  assert.equal(
    message(findNode(pod({ cpu: '1', memory: '100Gi' }, byName('n1')), five)),
    `0/5 nodes are available: 1 Insufficient memory, 4 node(s) didn't satisfy plugin(s) [NodeAffinity]. ${notHelpful}`,
  );
  assert.equal(
    message(findNode(pod({ cpu: '1' }, byName('nope')), five)),
    `0/5 nodes are available: 5 node(s) didn't satisfy plugin(s) [NodeAffinity]. ${notHelpful}`,
  );
  assert.equal(message(findNode(pod({}), [])), 'no nodes available to schedule pods');
});

test('says that preemption finds no victims where other pods hold what is missing', () => {
  const full = node(
    'g',
    {},
    {},
    { cpu: '4', 'nvidia.com/gpu': '1', pods: '110' },
    { 'nvidia.com/gpu': '1', pods: '110' },
  );
  assert.equal(
    message(findNode(pod({ 'nvidia.com/gpu': '1' }), [full])),
    '0/1 nodes are available: 1 Insufficient nvidia.com/gpu, 1 Too many pods. no new claims to deallocate, ' +
      'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  );
});

test('understands every operator of a node affinity', () => {
  const nodes = [node('a', { v: '1.20.0', n: '5' })];
  const fits = (key: string, operator: string, ...values: string[]): boolean =>
    findNode(pod({}, required({ matchExpressions: [{ key, operator, values }] })), nodes).kind === 'fits';
  assert.equal(fits('v', 'In', '1.19.1', '1.20.0'), true);
  assert.equal(fits('v', 'In', '1.19.1'), false);
  assert.equal(fits('v', 'NotIn', '1.20.0', '1.19.1', '1.18.0'), false);
  assert.equal(fits('missing', 'NotIn', '1.20.0'), true);
  assert.equal(fits('v', 'Exists'), true);
  assert.equal(fits('missing', 'Exists'), false);
  assert.equal(fits('missing', 'DoesNotExist'), true);
  assert.equal(fits('v', 'DoesNotExist'), false);
  assert.equal(fits('n', 'Gt', '4'), true);
  assert.equal(fits('n', 'Gt', '5'), false);
  assert.equal(fits('n', 'Lt', '6'), true);
  assert.equal(fits('v', 'Lt', '6'), false, 'not an integer');
});

test('takes terms as alternatives and a term without requirements as none', () => {
  const nodes = [node('a', { x: '1' })];
  const is = (value: string): JsonObject => ({
    matchExpressions: [{ key: 'x', operator: 'In', values: [value] }],
  });
  assert.equal(findNode(pod({}, required(is('2'), is('1'))), nodes).kind, 'fits');
  assert.equal(findNode(pod({}, required({})), nodes).kind, 'unschedulable');
});

test('honours tolerations by key, value and effect', () => {
  const tainted = [
    node('a', {}, { taints: [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }] }),
  ];
  const fits = (toleration: JsonObject): boolean =>
    findNode(pod({}, { tolerations: [toleration] }), tainted).kind === 'fits';
  assert.equal(fits({ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }), true);
  assert.equal(fits({ key: 'nvidia.com/gpu', operator: 'Exists' }), true);
  assert.equal(fits({ operator: 'Exists' }), true);
  assert.equal(fits({ key: 'nvidia.com/gpu', operator: 'Equal', value: 'present' }), true);
  assert.equal(fits({ key: 'nvidia.com/gpu', operator: 'Equal', value: 'other' }), false);
  assert.equal(fits({ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoExecute' }), false);
  assert.equal(fits({ key: 'other', operator: 'Exists' }), false);
});

test('prefers the least full node, then the first by name', () => {
  const amounts = { cpu: '4', pods: '110' };
  const nodes = [
    node('c', {}, {}, amounts),
    node('b', {}, {}, amounts),
    node('a', {}, {}, amounts, { cpu: '2' }),
  ];
  assert.equal(message(findNode(pod({ cpu: '1' }), nodes)), 'fits b');
});
