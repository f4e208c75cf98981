import assert from 'node:assert/strict';
import { HarnessError } from '../../src/errors/harness-error.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import { scenarioWarnings } from '../../src/scenario/scenario-warnings.ts';
import { suite } from '../support/suite.ts';

const test = suite('scenario file');

const valid = `name: vllm-h100
nodes:
  selector: { nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3 }
  eligibility: [{ label: node.coreweave.cloud/version, operator: NotIn, values: ["1.20.0", "1.19.1"] }]
  count: 4
workload:
  command: [python3, /serve.py]
  env: { TF_CPP_MIN_LOG_LEVEL: "3" }
  gpu: 1
  ready: { log: "^ready" }
  timeout: 10m
arms:
  oci:   { image: "ghcr.io/acme/vllm:0.9" }
  nydus: { image: "ghcr.io/acme/vllm:0.9-nydus", runtimeClass: nydus, expect: lazy, prefetch: { list: hot.txt } }
baseline: oci
cache: cold
pairs: { min: 6, max: 40, target: { metric: timeToReady, halfWidth: 5% } }
link: { bandwidth: 400Mbit, latency: 1ms }
seed: 20261123
`;

const problemsOf = (text: string): string[] => {
  try {
    parseScenario(text, 'bench.yaml');
  } catch (error) {
    assert.ok(error instanceof HarnessError);
    assert.equal(error.code, 'SCENARIO_INVALID');
    assert.equal(error.exitCode, 2);
    return error.message.split('\n');
  }
  return [];
};

test('resolves units and defaults', () => {
  const scenario = parseScenario(valid, 'bench.yaml');
  assert.equal(scenario.workload.timeoutMs, 600_000);
  assert.equal(scenario.workload.settleMs, 10_000);
  assert.deepEqual(scenario.link, { rateBytesPerSecond: 50e6, latencyMs: 1, maxConnections: 64 });
  assert.deepEqual(scenario.pairs, { min: 6, max: 40, target: { metric: 'timeToReady', halfWidth: 0.05 } });
  assert.deepEqual(scenario.workload.ready, { kind: 'log', pattern: '^ready' });
  assert.deepEqual(
    scenario.arms.map(({ name, runtimeClass, expect, prefetch }) => ({
      name,
      runtimeClass,
      expect,
      prefetch,
    })),
    [
      { name: 'oci', runtimeClass: undefined, expect: 'eager', prefetch: { kind: 'off' } },
      { name: 'nydus', runtimeClass: 'nydus', expect: 'lazy', prefetch: { kind: 'list', file: 'hot.txt' } },
    ],
  );
  assert.equal(scenario.cache, 'cold');
});

test('takes an arm to be lazy when it is converted', () => {
  const scenario = parseScenario(
    'name: a\nworkload: { ready: { probe: true } }\narms: { a: { image: x }, b: { image: x, convert: builtin, prefetch: off } }\nbaseline: a\n',
    'a.yaml',
  );
  assert.deepEqual(
    scenario.arms.map((arm) => [arm.expect, arm.runtimeClass]),
    [
      ['eager', undefined],
      ['lazy', 'nydus'],
    ],
  );
});

const edits: readonly [title: string, from: string, to: string, expected: string][] = [
  [
    'names the nearest key for an unknown one',
    'pairs: {',
    'pair: {',
    'bench.yaml:17:1: unknown key `pair`, did you mean `pairs`?',
  ],
  [
    'names the nearest key inside a mapping',
    'image: "ghcr.io/acme/vllm:0.9" }',
    'image: "x", runtimeclass: y }',
    'bench.yaml:13:24: unknown key `runtimeclass` in arms.oci, did you mean `runtimeClass`?',
  ],
  [
    'lists the known keys when none is near',
    'latency: 1ms',
    'zzz: 1ms',
    'bench.yaml:18:29: unknown key `zzz` in link; known: bandwidth, latency, connections',
  ],
  [
    'says which units a duration takes',
    'timeout: 10m',
    'timeout: 10minutes',
    'bench.yaml:11:12: workload.timeout: "10minutes" is not a number with a unit (ns, us, ms, s, m or h), for example 10m or 1m30s, above zero',
  ],
  [
    'never guesses a unit',
    'timeout: 10m',
    'timeout: 10',
    'bench.yaml:11:12: workload.timeout: needs a number with a unit (ns, us, ms, s, m or h), for example 10m or 1m30s, above zero',
  ],
  [
    'says which units a rate takes',
    '400Mbit',
    '400MB',
    'bench.yaml:18:20: link.bandwidth: "400MB" is not a number with a unit (kbit, Mbit, Gbit, kB/s, MB/s, GB/s or MiB/s), for example 400Mbit',
  ],
  [
    'wants the baseline among the arms',
    'baseline: oci',
    'baseline: ocl',
    'bench.yaml:15:11: baseline `ocl` is not among the arms (oci, nydus), did you mean `oci`?',
  ],
  ['wants a baseline', 'baseline: oci\n', '', 'bench.yaml:1:1: `baseline` is missing'],
  [
    'wants an image in each arm',
    'image: "ghcr.io/acme/vllm:0.9" }',
    '}',
    'bench.yaml:13:10: `arms.oci.image` is missing',
  ],
  ['refuses min above max', 'min: 6', 'min: 41', 'bench.yaml:17:15: pairs.min (41) is above pairs.max (40)'],
  [
    'refuses the same key twice',
    'cache: cold',
    'cache: cold\ncache: warm',
    'bench.yaml:17:1: the same key is given twice in one mapping',
  ],
  [
    'wants exactly one ready sign',
    'ready: { log: "^ready" }',
    'ready: { log: "^ready", probe: true }',
    'bench.yaml:10:10: workload.ready: needs exactly one of log, http and probe',
  ],
  [
    'refuses a pattern that is no regular expression',
    'log: "^ready"',
    'log: "(ready"',
    'bench.yaml:10:17: workload.ready.log: is not a regular expression (JavaScript syntax)',
  ],
  [
    'wants environment values quoted',
    'LEVEL: "3"',
    'LEVEL: 3',
    'bench.yaml:8:32: workload.env.TF_CPP_MIN_LOG_LEVEL: must be a text: put it in quotes',
  ],
  [
    'refuses an arm name that no pod name can hold',
    '  oci: ',
    '  OCI_1: ',
    'bench.yaml:13:3: arms.OCI_1: the name must be at most 30 lower-case letters, digits and dashes',
  ],
  [
    'refuses an operator without its values',
    'values: ["1.20.0", "1.19.1"]',
    'values: []',
    'bench.yaml:4:81: nodes.eligibility[0].values: operator NotIn needs at least one value',
  ],
];
for (const [title, from, to, expected] of edits)
  test(title, () => {
    const edited = valid.replace(from, to);
    assert.notEqual(edited, valid);
    assert.ok(problemsOf(edited).includes(expected), problemsOf(edited).join('\n'));
  });

test('lists all problems at once, in the order of the file', () => {
  const problems = problemsOf(valid.replace('count: 4', 'cuont: 4').replace('seed: 20261123', 'seed: many'));
  assert.equal(problems.length, 2);
  assert.match(problems[0] ?? '', /^bench\.yaml:5:3: unknown key `cuont` in nodes, did you mean `count`\?$/u);
  assert.match(problems[1] ?? '', /^bench\.yaml:19:7: seed: /u);
});

test('wants two arms, and the arms at all', () => {
  const one = valid.replace(/ {2}nydus: .*\n/u, '');
  assert.match(problemsOf(one).join('\n'), /^bench\.yaml:13:3: arms: needs at least two arms/mu);
  assert.match(
    problemsOf('name: a\nworkload: { ready: { probe: true } }\nbaseline: a\n').join('\n'),
    /`arms` is missing/u,
  );
});

test('explains broken YAML, an empty file and a list with a place', () => {
  assert.match(problemsOf('name: "a\n').join('\n'), /^bench\.yaml:\d+:\d+: .*quote/u);
  for (const text of ['', '- a\n', 'just text'])
    assert.match(problemsOf(text).join('\n'), /^bench\.yaml:1:1: a scenario is a YAML mapping/u);
});

test('allows fewer than six pairs with a warning', () => {
  const scenario = parseScenario(valid.replace(/pairs: .*/u, 'pairs: { min: 3, max: 3 }'), 'bench.yaml');
  assert.match(scenarioWarnings(scenario).join('\n'), /fewer than 6 pairs/u);
  assert.deepEqual(scenarioWarnings(parseScenario(valid, 'bench.yaml')), []);
});
