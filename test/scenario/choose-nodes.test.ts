import assert from 'node:assert/strict';
import { chooseNodes, matchesRule } from '../../src/scenario/choose-nodes.ts';
import type { NodeFacts } from '../../src/scenario/node-facts.ts';
import { suite } from '../support/suite.ts';

const test = suite('choice of nodes');

const node = (name: string, change: Partial<NodeFacts> = {}): NodeFacts => ({
  name,
  labels: { gpu: 'h100' },
  taints: [],
  isReady: true,
  isCordoned: false,
  gpus: 8,
  kubeletVersion: 'v1.34.0',
  containerRuntime: 'containerd://2.2.0',
  ...change,
});
const wanted = { selector: { gpu: 'h100' }, eligibility: [], count: 2 };

test('takes the first eligible nodes by name and says why it refused the others', () => {
  const choices = chooseNodes(
    [
      node('g'),
      node('f', { labels: {} }),
      node('e'),
      node('d', { gpus: 0 }),
      node('c', { isReady: false }),
      node('b', { isCordoned: true }),
      node('a'),
    ],
    wanted,
    1,
  );
  assert.deepEqual(
    choices.map((choice) => `${choice.node.name} ${choice.chosen ? 'yes' : 'no'}: ${choice.why}`),
    [
      'a yes: eligible',
      'b no: cordoned (spec.unschedulable)',
      'c no: not Ready',
      'd no: allocatable nvidia.com/gpu is 0, workload.gpu is 1',
      'e yes: eligible',
      'f no: selector wants gpu=h100, the node has no label gpu',
      'g no: eligible, but nodes.count is 2',
    ],
  );
});

test('quotes the eligibility rule that refused a node', () => {
  const rule = { label: 'version', operator: 'NotIn' as const, values: ['1.20.0'] };
  const [choice] = chooseNodes(
    [node('a', { labels: { gpu: 'h100', version: '1.20.0' } })],
    { ...wanted, eligibility: [rule] },
    0,
  );
  assert.equal(choice?.why, 'eligibility: version NotIn [1.20.0], the node has version=1.20.0');
});

test('decides expressions as the scheduler does', () => {
  const labels = { size: '12', word: 'x' };
  const rule = (
    label: string,
    operator: Parameters<typeof matchesRule>[1]['operator'],
    ...values: string[]
  ) => matchesRule(labels, { label, operator, values });
  assert.equal(rule('absent', 'NotIn', 'x'), true);
  assert.equal(rule('absent', 'In', 'x'), false);
  assert.equal(rule('word', 'NotIn', 'x'), false);
  assert.equal(rule('word', 'Exists'), true);
  assert.equal(rule('word', 'DoesNotExist'), false);
  assert.equal(rule('size', 'Gt', '9'), true);
  assert.equal(rule('size', 'Lt', '12'), false);
  assert.equal(rule('word', 'Gt', '1'), false);
});
