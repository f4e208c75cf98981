import assert from 'node:assert/strict';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import { podManifest, podName, type PodInput } from '../../src/scenario/pod-manifest.ts';
import { suite } from '../support/suite.ts';

const test = suite('pod manifest');

const scenario = parseScenario(
  `name: s
nodes: { eligibility: [{ label: v, operator: NotIn, values: ["1"] }, { label: ok, operator: Exists }] }
workload: { command: [/serve], env: { A: "1" }, gpu: 2, ready: { log: ready } }
arms: { oci: { image: a }, nydus: { image: b, runtimeClass: nydus } }
baseline: oci
`,
  's.yaml',
);
const input = (armName: string): PodInput => {
  const arm = scenario.arms.find(({ name }) => name === armName);
  assert.ok(arm);
  return {
    runId: '20261123T230500Z-1a2b',
    namespace: 'bench',
    scenario,
    trial: { id: `b03-n1-${armName}`, arm: armName, block: 3, position: 0 },
    arm,
    image: `registry/${armName}:1`,
    node: {
      name: 'gpu-1.example',
      taints: [
        { key: 'nvidia.com/gpu', value: undefined, effect: 'NoSchedule' },
        { key: 'team', value: 'ml', effect: 'NoExecute' },
        { key: 'soft', value: undefined, effect: 'PreferNoSchedule' },
      ],
    },
  };
};

test('pins the node and the eligibility in one term, through the scheduler', () => {
  const { spec } = podManifest(input('oci'));
  assert.equal(spec['nodeName'], undefined);
  assert.deepEqual(spec['affinity'], {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchFields: [{ key: 'metadata.name', operator: 'In', values: ['gpu-1.example'] }],
            matchExpressions: [
              { key: 'v', operator: 'NotIn', values: ['1'] },
              { key: 'ok', operator: 'Exists' },
            ],
          },
        ],
      },
    },
  });
  assert.deepEqual(spec['tolerations'], [
    { key: 'nvidia.com/gpu', effect: 'NoSchedule', operator: 'Exists' },
    { key: 'team', effect: 'NoExecute', operator: 'Equal', value: 'ml' },
  ]);
});

test('gives all arms the same pod but for name, labels, image and RuntimeClass', () => {
  const stripped = (armName: string) => {
    const { spec } = podManifest(input(armName));
    const { runtimeClassName: _, ...rest } = spec;
    return JSON.stringify(rest).replaceAll(`registry/${armName}:1`, 'IMAGE');
  };
  assert.equal(stripped('oci'), stripped('nydus'));
  assert.equal(podManifest(input('nydus')).spec['runtimeClassName'], 'nydus');
  assert.equal(podManifest(input('oci')).spec['runtimeClassName'], undefined);
});

test('asks for nothing that costs time or access', () => {
  const { spec } = podManifest(input('oci'));
  assert.equal(spec['automountServiceAccountToken'], false);
  assert.equal(spec['enableServiceLinks'], false);
  assert.equal(spec['restartPolicy'], 'Never');
  assert.equal(spec['terminationGracePeriodSeconds'], 0);
  assert.deepEqual(spec['containers'], [
    {
      name: 'workload',
      image: 'registry/oci:1',
      imagePullPolicy: 'IfNotPresent',
      command: ['/serve'],
      env: [{ name: 'A', value: '1' }],
      resources: { limits: { 'nvidia.com/gpu': '2' }, requests: { 'nvidia.com/gpu': '2' } },
    },
  ]);
});

test('names pods as short DNS labels without dots', () => {
  assert.equal(
    podName('20261123T230500Z-1a2b', 'b03-n1-nydus'),
    'lb-0500z1a2b-b03-n1-nydus'.replace('0500z', '30500z'),
  );
  const long = podName('20261123T230500Z-1a2b', `b03-n1-${'x'.repeat(80)}`);
  assert.ok(long.length <= 63 && /^[a-z0-9-]+[a-z0-9]$/u.test(long));
});
