import type { CompletedTrial, Duration, Trial } from '../../src/evidence/trial.ts';
import type { RunRecord } from '../../src/results/run-record.ts';

/** A run of `blocks` blocks over the given arms; the first is the baseline. */
export function sampleRun(arms: readonly string[], blocks: number): RunRecord {
  return {
    schemaVersion: 1,
    runId: '20261123-101502-ab12cd',
    scenarioName: 'sample',
    scenarioText: 'name: sample\n',
    scenario: { baseline: arms[0], arms: arms.map((name) => ({ name })) },
    plan: { seed: 1, blocks: Array.from({ length: blocks }, (_, index) => ({ index, trials: arms })) },
    seed: 1,
    command: ['lazybench', 'run'],
    startedAt: '2026-11-23T10:15:02.000Z',
    tool: { name: 'lazybench', version: '0.1.0', node: 'v24' },
    cluster: { kind: 'embedded', version: '1', statements: ['embedded node'] },
    nodes: [],
    images: [],
  };
}

/** A duration as judging gives it. */
export const sampleDuration = (durationMs: number, errorMs = 0.1, sources = 'ED'): Duration => ({
  durationMs,
  errorMs,
  from: 'submitted',
  to: 'ready',
  sources,
});

/** A completed trial with these durations and, at ready and end, these bytes by the meter. */
export function completedTrial(
  arm: string,
  block: number,
  durations: CompletedTrial['durations'],
  bytes?: number,
): CompletedTrial {
  const row = (mark: 'ready' | 'end'): CompletedTrial['traffic']['bySource'] =>
    bytes === undefined ? [] : [{ source: 'meter', mark, bytes, requests: 10 }];
  return {
    schemaVersion: 1,
    id: `b${String(block)}-${arm}`,
    arm,
    node: 'n1',
    block,
    position: 0,
    image: `registry/${arm}`,
    recordedAt: '2026-11-23T10:16:00.000Z',
    outcome: 'completed',
    timeline: {},
    traffic: {
      bySource: [...row('ready'), ...row('end')],
      byClass: [],
      closure: { ratio: 0.001 * block, between: ['meter', 'containerd'] },
      curve: [],
    },
    proofs: [{ name: 'cold', verdict: 'proved', because: 'gone' }],
    flags: [],
    durations,
  };
}

/** The same trial, failed. */
export function failedTrial(arm: string, block: number): Trial {
  const { durations: _durations, ...common } = completedTrial(arm, block, {});
  return { ...common, outcome: 'failed', reason: 'ErrImagePull', message: 'no' };
}

/** The same trial, invalid. */
export function invalidTrial(arm: string, block: number): Trial {
  const { durations: _durations, ...common } = completedTrial(arm, block, {});
  return {
    ...common,
    outcome: 'invalid',
    because: [{ name: 'cold', verdict: 'refuted', because: 'it was there' }],
  };
}

/** Pairs of time to ready: the baseline around 2000 ms with block noise, the other `ratio` times that and own noise. */
export function timedPairs(blocks: number, ratio: number, noise: number): readonly CompletedTrial[] {
  return Array.from({ length: blocks }, (_, block) => {
    const base = 2000 * (1 + 0.1 * Math.sin(block * 7));
    const other = base * ratio * (1 + noise * Math.cos(block * 5 + 1));
    return [
      completedTrial('oci', block, { timeToReady: sampleDuration(base) }, 1000),
      completedTrial('nydus', block, { timeToReady: sampleDuration(other) }, 300),
    ];
  }).flat();
}
