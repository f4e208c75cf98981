import { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import type { Trial } from '../evidence/trial.ts';
import type { RunEnd, RunRecord } from '../results/run-record.ts';
import { compareArms } from './compare-arms.ts';
import { correctComparisons } from './correct-comparisons.ts';
import type { ComparedMetric } from './paired-values.ts';
import { verdictSentence } from './sentence.ts';
import { standingOf } from './standing.ts';
import type { Comparison, Summary } from './summary.ts';

/** Choices that a summary depends on besides the data. */
export interface SummaryOptions {
  /** Relative difference that does not matter; default 0.05. */
  readonly margin?: number;
  /** How the run ended (`end.json`), when it has. */
  readonly end?: RunEnd;
}

const confidence = 0.95;
const supportingMetrics: readonly ComparedMetric[] = [
  'pull',
  'create',
  'startToReady',
  'bytesAtReady',
  'bytesAtEnd',
  'requestsAtEnd',
];

/** What a summary needs of the scenario and plan in run.json. */
const runShape = z.object({
  scenario: z.looseObject({ baseline: z.string(), arms: z.array(z.looseObject({ name: z.string() })) }),
  plan: z.looseObject({ blocks: z.array(z.looseObject({ trials: z.array(z.unknown()) })) }),
});

/**
 * Computes the summary of a run from what is recorded and nothing else. Throws RUN_DIRECTORY_INVALID when run.json
 * names no arms, baseline or plan.
 */
export function summarize(run: RunRecord, trials: readonly Trial[], options: SummaryOptions = {}): Summary {
  const { data } = runShape.safeParse(run);
  if (data === undefined)
    throw new HarnessError(
      'RUN_DIRECTORY_INVALID',
      `run.json of ${run.runId} names no arms, baseline or plan`,
    );
  const { margin = 0.05 } = options;
  const { baseline } = data.scenario;
  const arms = data.scenario.arms.map(({ name }) => name);
  const others = arms.filter((arm) => arm !== baseline);
  // A trial recorded twice (a resumed run) counts once, as recorded last.
  const recorded = [...new Map(trials.map((trial) => [trial.id, trial])).values()];
  const comparisons = [...compareAll(recorded, baseline, others, margin)];
  const counts = arms.map((arm) => countOutcomes(recorded, arm));
  const plannedTrials = data.plan.blocks.reduce((sum, block) => sum + block.trials.length, 0);
  return {
    schemaVersion: 1,
    runId: run.runId,
    scenarioName: run.scenarioName,
    sentence: verdictSentence(comparisons),
    standing: standingOf({ counts, comparisons, plannedTrials, end: options.end }),
    margin,
    comparisons,
    counts,
    proofs: arms.flatMap((arm) => countProofs(recorded, arm)),
    closure: arms.flatMap((arm) => worstClosure(recorded, arm)),
    statements: [
      ...new Set([...run.cluster.statements, ...run.nodes.flatMap(({ agent }) => agent?.statements ?? [])]),
    ],
  };
}

const compareAll = (
  trials: readonly Trial[],
  baseline: string,
  others: readonly string[],
  margin: number,
): readonly Comparison[] => {
  const compare = (arm: string, metric: ComparedMetric): ReturnType<typeof compareArms> =>
    compareArms(trials, { baseline, arm, metric, margin, confidence });
  const alpha = 1 - confidence + 1e-12;
  const headlines = correctComparisons(
    others.map((arm) => compare(arm, 'timeToReady')),
    alpha,
  );
  const supporting = correctComparisons(
    others.flatMap((arm) => supportingMetrics.map((metric) => compare(arm, metric))),
    alpha,
  );
  return others.flatMap((arm) => [...headlines, ...supporting].filter((one) => one.arm === arm));
};

const countOutcomes = (trials: readonly Trial[], arm: string): Summary['counts'][number] => {
  const count = (outcome: Trial['outcome']): number =>
    trials.filter((trial) => trial.arm === arm && trial.outcome === outcome).length;
  return {
    arm,
    completed: count('completed'),
    failed: count('failed'),
    timedOut: count('timed-out'),
    invalid: count('invalid'),
  };
};

const countProofs = (trials: readonly Trial[], arm: string): Summary['proofs'] => {
  const proofs = trials.filter((trial) => trial.arm === arm).flatMap((trial) => trial.proofs);
  return [...new Set(proofs.map(({ name }) => name))].map((name) => {
    const count = (verdict: string): number =>
      proofs.filter((proof) => proof.name === name && proof.verdict === verdict).length;
    return { arm, name, proved: count('proved'), refuted: count('refuted'), missing: count('missing') };
  });
};

const worstClosure = (trials: readonly Trial[], arm: string): Summary['closure'] => {
  const closures = trials.flatMap((trial) =>
    trial.arm === arm && trial.outcome === 'completed' && trial.traffic.closure !== undefined
      ? [trial.traffic.closure]
      : [],
  );
  const worst = closures.reduce<(typeof closures)[number] | undefined>(
    (worstSoFar, one) => (worstSoFar === undefined || one.ratio > worstSoFar.ratio ? one : worstSoFar),
    undefined,
  );
  return worst === undefined ? [] : [{ arm, worstRatio: worst.ratio, between: worst.between }];
};
