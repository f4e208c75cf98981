// A whole run as its files would hold it, made from a seed: for tests of everything that reads a run directory.
import { quantileSorted } from 'simple-statistics';
import { summary, type Description, type Summary } from '../../src/decision/summary.ts';
import { durationNames, phaseNames, trial, type Trial } from '../../src/evidence/trial.ts';
import type { ReportInput } from '../../src/report/model.ts';
import { runRecord, type RunRecord } from '../../src/results/run-record.ts';

export interface FixtureOptions {
  readonly pairs?: number;
  /** Every trial fails. */
  readonly allFailed?: boolean;
  /** Adds a failed block, a timed-out block and an invalid block after the good ones. */
  readonly withTroubles?: boolean;
  /** Replaces names and messages. */
  readonly text?: (plain: string) => string;
}

const startNs = 1_795_477_267_000_000_000n;
const imageBytes = { oci: 152_480_311, nydus: 161_203_878 } as const;
type ArmName = keyof typeof imageBytes;

/** Park and Miller's generator: small, and good enough for pictures. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const phaseMs: Record<ArmName, Record<(typeof phaseNames)[number], number>> = {
  oci: {
    schedule: 9,
    prepare: 14,
    pull: 3310,
    create: 22,
    start: 11,
    startToFirstLog: 190,
    firstLogToReady: 310,
  },
  nydus: {
    schedule: 9,
    prepare: 14,
    pull: 168,
    create: 26,
    start: 12,
    startToFirstLog: 520,
    firstLogToReady: 760,
  },
};

function completed(arm: ArmName, block: number, position: number, random: () => number, text: Text): Trial {
  const lengths = phaseNames.map((name) => phaseMs[arm][name] * (0.9 + 0.25 * random()));
  const total = lengths.reduce((sum, one) => sum + one, 0);
  const instants = [
    'submitted',
    'scheduled',
    'pulling',
    'pulled',
    'created',
    'started',
    'firstLog',
    'ready',
  ] as const;
  const sources = ['E', 'C', 'A', 'A', 'A', 'A', 'D', 'D'] as const;
  const atMs = [0, ...lengths.map((_one, k) => lengths.slice(0, k + 1).reduce((sum, one) => sum + one, 0))];
  const blockNs = startNs + BigInt(block) * 12_000_000_000n + BigInt(position) * 6_000_000_000n;
  const timeline = Object.fromEntries(
    instants.map((name, k) => [
      name,
      {
        atNs: String(blockNs + BigInt(Math.round((atMs[k] ?? 0) * 1e6))),
        clock: k === 0 ? 'client' : k === 1 ? 'scheduler' : 'node',
        source: sources[k],
        errorNs: '800000',
      },
    ]),
  );
  const span = (from: number, to: number): object => ({
    durationMs: (atMs[to] ?? 0) - (atMs[from] ?? 0),
    errorMs: 1.1 + 0.2 * from,
    from: instants[from],
    to: instants[to],
    sources: `${sources[from] ?? ''}${sources[to] ?? ''}`,
  });
  const durations = {
    ...Object.fromEntries(phaseNames.map((name, k) => [name, span(k, k + 1)])),
    startToReady: span(5, 7),
    timeToReady: span(0, 7),
    podToReady: span(1, 7),
  };
  const pulled = (atMs[3] ?? 0) - (atMs[2] ?? 0);
  const atReady = arm === 'oci' ? imageBytes.oci : Math.round(imageBytes.nydus * (0.14 + 0.01 * random()));
  const atEnd = arm === 'oci' ? atReady : Math.round(atReady * 1.08);
  const begin = atMs[2] ?? 0;
  const length = arm === 'oci' ? pulled : total - begin;
  const curve = Array.from({ length: 120 }, (_one, k) => {
    const share = (k + 1) / 120;
    const bent = arm === 'oci' ? share : Math.min(1, 0.06 + 0.94 * Math.sqrt(share));
    const moved = Math.round(atReady * bent);
    const prefetched = arm === 'oci' ? 0 : Math.round(moved / 10);
    return [begin + length * share, moved - prefetched, prefetched];
  });
  if (arm === 'nydus') curve.push([total + 400, atEnd - Math.round(atReady / 10), Math.round(atReady / 10)]);
  const requests = arm === 'oci' ? 9 : 64;
  return trial.parse({
    schemaVersion: 1,
    id: `b${String(block).padStart(2, '0')}-n0-${arm}`,
    arm: text(arm),
    node: text('embedded-0'),
    block,
    position,
    image: text(`127.0.0.1:5000/quickstart:${arm}`),
    recordedAt: new Date(Number(blockNs / 1_000_000n)).toISOString(),
    timeline,
    traffic: {
      bySource: [
        { source: 'meter', mark: 'ready', bytes: atReady, requests: requests - 3 },
        { source: 'meter', mark: 'end', bytes: atEnd, requests },
        {
          source: arm === 'oci' ? 'containerd' : 'nydusd',
          mark: 'ready',
          bytes: atReady - 9211,
        },
        {
          source: arm === 'oci' ? 'containerd' : 'nydusd',
          mark: 'end',
          bytes: atEnd - 9211,
          requests: requests - 2,
        },
      ],
      byClass: [
        { class: 'manifest', prefetch: false, requests: 1, bytes: 1320 },
        { class: 'config', prefetch: false, requests: 1, bytes: 7891 },
        ...(arm === 'oci'
          ? [{ class: 'layer', prefetch: false, requests: 7, bytes: atEnd - 9211 }]
          : [
              { class: 'bootstrap', prefetch: false, requests: 1, bytes: 812_004 },
              { class: 'chunk', prefetch: false, requests: 61, bytes: atEnd - 821_215 },
            ]),
      ],
      closure: { ratio: 9211 / atEnd, between: ['meter', arm === 'oci' ? 'containerd' : 'nydusd'] },
      ...(arm === 'nydus' ? { amplification: 1.31 } : {}),
      fetchedShareAtReady: atReady / imageBytes[arm],
      curve,
    },
    proofs: goodProofs(arm, text),
    flags: [],
    outcome: 'completed',
    durations,
  });
}

type Text = (plain: string) => string;

function goodProofs(arm: ArmName, text: Text): object[] {
  return [
    {
      name: 'cold',
      verdict: 'proved',
      because: text('0 content blobs, 0 snapshots, 0 cache files right before submit'),
    },
    arm === 'oci'
      ? { name: 'eager', verdict: 'proved', because: text('root mount is an overlay of 7 unpacked layers') }
      : {
          name: 'lazy',
          verdict: 'proved',
          because: text('root mount has one RAFS lower directory; one daemon serves it'),
        },
    { name: 'ready', verdict: 'proved', because: text('log line "ready in 0.31 s" matched ^ready') },
  ];
}

function troubled(kind: 'failed' | 'timed-out' | 'invalid', arm: ArmName, block: number, text: Text): Trial {
  const refuted = {
    name: 'cold',
    verdict: 'refuted',
    because: text('2 cache files of blob sha256:4be1… were still on the node'),
  };
  const outcome = {
    failed: {
      outcome: 'failed',
      reason: text('ErrImagePull'),
      message: text(
        'failed to resolve reference "registry.example/quickstart": 401 Unauthorized from 10.12.0.7',
      ),
      hint: text('Log in with `docker login registry.example`, or name a pull secret in the scenario.'),
    },
    'timed-out': { outcome: 'timed-out', afterMs: 120_000 },
    invalid: { outcome: 'invalid', because: [refuted] },
  }[kind];
  return trial.parse({
    schemaVersion: 1,
    id: `b${String(block).padStart(2, '0')}-n0-${arm}`,
    arm: text(arm),
    node: text('embedded-0'),
    block,
    position: arm === 'oci' ? 0 : 1,
    image: text(`127.0.0.1:5000/quickstart:${arm}`),
    recordedAt: '2026-11-23T23:59:00.000Z',
    timeline: {},
    traffic: { bySource: [], byClass: [], curve: [] },
    proofs: kind === 'invalid' ? [refuted, ...goodProofs(arm, text).slice(1)] : [],
    flags: [],
    ...outcome,
  });
}

function describe(values: readonly number[]): Description | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const at = (p: number): number => quantileSorted(sorted, p);
  return { n: sorted.length, min: at(0), q1: at(0.25), median: at(0.5), q3: at(0.75), max: at(1) };
}

type Metric = Summary['comparisons'][number]['metric'];

function valueOf(one: Trial, metric: Metric): number | undefined {
  if (one.outcome !== 'completed') return undefined;
  const moved = (mark: string) =>
    one.traffic.bySource.find((entry) => entry.source === 'meter' && entry.mark === mark);
  if (metric === 'bytesAtReady') return moved('ready')?.bytes;
  if (metric === 'bytesAtEnd') return moved('end')?.bytes;
  if (metric === 'requestsAtEnd') return moved('end')?.requests;
  return one.durations[metric]?.durationMs;
}

function summarise(trials: readonly Trial[], text: Text): Summary {
  const [oci, nydus] = [text('oci'), text('nydus')];
  const metrics = [
    'timeToReady',
    'bytesAtReady',
    ...durationNames.filter((name) => name !== 'timeToReady'),
    'bytesAtEnd',
    'requestsAtEnd',
  ] as const;
  const comparisons = metrics.map((metric) => {
    const pairs = trials.flatMap((one): [number, string, number, number][] => {
      const other = trials.find((two) => two.block === one.block && two.arm === nydus);
      const a = valueOf(one, metric);
      const b = other === undefined ? undefined : valueOf(other, metric);
      return one.arm !== oci || a === undefined || b === undefined ? [] : [[one.block, one.node, a, b]];
    });
    const logs = pairs.map(([, , a, b]) => Math.log(b / a)).sort((a, b) => a - b);
    const [low, high] = [logs[0], logs.at(-1)];
    const ratio = logs.length === 0 ? undefined : Math.exp(quantileSorted(logs, 0.5));
    const verdict =
      ratio === undefined || logs.length < 6
        ? 'inconclusive'
        : ratio < 0.95
          ? 'faster'
          : ratio > 1.05
            ? 'slower'
            : 'equivalent';
    return {
      arm: nydus,
      baseline: oci,
      metric,
      unit: metric.startsWith('bytes') ? 'bytes' : metric.startsWith('requests') ? 'requests' : 'ms',
      verdict,
      because:
        verdict === 'inconclusive'
          ? text(`${String(logs.length)} of at least 6 pairs: no 95 % interval exists yet`)
          : text('the whole interval lies on one side of the margin'),
      ...(ratio === undefined
        ? {}
        : {
            effect: {
              ratio,
              ...(logs.length >= 6 && low !== undefined && high !== undefined
                ? { interval: { low: Math.exp(low), high: Math.exp(high), confidence: 0.969 } }
                : {}),
              pairs: pairs.length,
              method: 'Hodges-Lehmann, exact signed-rank interval',
            },
          }),
      baselineSamples: describe(pairs.map((pair) => pair[2])),
      armSamples: describe(pairs.map((pair) => pair[3])),
      pairs,
    };
  });
  const primary = comparisons[0];
  const effect = primary?.effect;
  const counted = (arm: string, outcome: Trial['outcome']): number =>
    trials.filter((one) => one.arm === arm && one.outcome === outcome).length;
  const sentence =
    effect?.interval !== undefined
      ? `nydus is ready ${(1 / effect.ratio).toFixed(2)}× sooner than oci on a cold node: time to ready ratio ${effect.ratio.toFixed(3)} [${effect.interval.low.toFixed(3)}, ${effect.interval.high.toFixed(3)}] (96.9 % interval, ${String(effect.pairs)} pairs).`
      : effect !== undefined
        ? `Inconclusive after ${String(effect.pairs)} pair: nydus took ${effect.ratio.toFixed(2)} times as long as oci, but an interval needs at least 6 pairs.`
        : 'No verdict: not one pair was completed.';
  return summary.parse({
    schemaVersion: 1,
    runId: text('20261123-234107-7f3a'),
    scenarioName: text('quickstart'),
    sentence: text(sentence),
    standing: effect === undefined ? 'invalid' : effect.interval === undefined ? 'inconclusive' : 'ok',
    margin: 0.05,
    comparisons: effect === undefined ? [] : comparisons,
    counts: [oci, nydus].map((arm) => ({
      arm,
      completed: counted(arm, 'completed'),
      failed: counted(arm, 'failed'),
      timedOut: counted(arm, 'timed-out'),
      invalid: counted(arm, 'invalid'),
    })),
    proofs: [oci, nydus].flatMap((arm) =>
      (['cold', arm === oci ? 'eager' : 'lazy', 'ready'] as const).map((name) => {
        const verdicts = trials
          .filter((one) => one.arm === arm)
          .flatMap((one) => one.proofs.filter((p) => p.name === name));
        const count = (verdict: string): number => verdicts.filter((p) => p.verdict === verdict).length;
        return { arm, name, proved: count('proved'), refuted: count('refuted'), missing: count('missing') };
      }),
    ),
    closure:
      effect === undefined
        ? []
        : [
            { arm: oci, worstRatio: 0.00006, between: ['meter', 'containerd'] },
            { arm: nydus, worstRatio: 0.0004, between: ['meter', 'nydusd'] },
          ],
    statements: [],
  });
}

function record(text: Text): RunRecord {
  return runRecord.parse({
    schemaVersion: 1,
    runId: text('20261123-234107-7f3a'),
    scenarioName: text('quickstart'),
    scenarioText: text(
      'name: quickstart\nworkload:\n  command: [node, /app/serve.js]\n  ready: { log: "^ready" }\narms:\n  oci: { image: "oci:image" }\n  nydus: { image: "oci:image", convert: builtin, expect: lazy }\nbaseline: oci\ncache: cold\npairs: { min: 6, max: 6 }\nlink: { bandwidth: 400Mbit, latency: 1ms }\nseed: 20261123\n',
    ),
    scenario: { baseline: text('oci'), workload: { env: { HF_TOKEN: 'hf_thisMustNeverBeSeen12345' } } },
    plan: {},
    seed: 20_261_123,
    command: [
      'lazybench',
      'run',
      text('scenarios/quickstart.yaml'),
      '--cluster',
      'embedded',
      '--seed',
      '20261123',
    ],
    startedAt: '2026-11-23T23:41:07.000Z',
    tool: { name: 'lazybench', version: '0.1.0', node: 'v24.21.0' },
    cluster: {
      kind: 'embedded',
      version: 'v1.34.0-lazybench',
      statements: [text('Embedded node: real bytes and requests, no kernel, FUSE or runtime cost.')],
    },
    nodes: [
      {
        name: text('embedded-0'),
        chosen: true,
        why: text('matches the selector and the eligibility rule'),
        agent: {
          protocol: 1,
          agentVersion: '0.1.0',
          nodeName: text('embedded-0'),
          kernel: text('6.1.0-32-amd64'),
          os: text('Debian GNU/Linux 12'),
          architecture: 'amd64',
          containerRuntime: text('embedded 0.1.0'),
          snapshotters: [{ name: text('overlayfs') }, { name: text('nydus'), version: '0.15.3' }],
          runtimeHandlers: ['', text('nydus')],
          nydusd: { version: '2.3.0', amplifyIoBytes: 1_048_576, prefetch: 'off' },
          clockSource: 'tsc',
          statements: [],
        },
      },
    ],
    images: [
      {
        arm: text('oci'),
        reference: text('127.0.0.1:5000/quickstart:oci'),
        source: text('oci:image'),
        digest: `sha256:${'1f'.repeat(32)}`,
        kind: 'oci',
        sizeBytes: imageBytes.oci,
        layers: 7,
      },
      {
        arm: text('nydus'),
        reference: text('127.0.0.1:5000/quickstart:nydus'),
        source: text('oci:image, converted by the built-in converter'),
        digest: `sha256:${'a7'.repeat(32)}`,
        kind: 'nydus',
        sizeBytes: imageBytes.nydus,
        layers: 8,
        fsVersion: '6',
        chunkSizeBytes: 1_048_576,
        builder: text('lazybench 0.1.0'),
      },
    ],
  });
}

const unchanged: Text = (plain) => plain;

/** A run of `pairs` pairs, as its files would be parsed. The same options give the same run. */
export function fixtureRun(options: FixtureOptions = {}): ReportInput {
  const { pairs = 6, allFailed = false, withTroubles = false, text = unchanged } = options;
  const random = randomFrom(20_261_123);
  const trials: Trial[] = [];
  for (let block = 0; block < pairs; block += 1) {
    const order: readonly ArmName[] = random() < 0.5 ? ['oci', 'nydus'] : ['nydus', 'oci'];
    for (const [position, arm] of order.entries())
      trials.push(
        allFailed ? troubled('failed', arm, block, text) : completed(arm, block, position, random, text),
      );
  }
  if (withTroubles) {
    trials.push(troubled('failed', 'oci', pairs, text), troubled('timed-out', 'nydus', pairs + 1, text));
    trials.push(troubled('invalid', 'nydus', pairs + 2, text));
  }
  return {
    run: record(text),
    trials,
    summary: summarise(trials, text),
    end: {
      schemaVersion: 1,
      endedAt: '2026-11-23T23:41:29.000Z',
      how: 'completed',
      why: text('every planned pair was run'),
    },
    warnings: withTroubles ? [text('trials.jsonl: the last line was cut off and is ignored')] : [],
  };
}
