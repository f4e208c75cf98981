import { summary as summarySchema, type Summary } from '../decision/summary.ts';
import { trial as trialSchema, type Trial } from '../evidence/trial.ts';
import { runRecord, runEnd, type RunEnd, type RunRecord } from '../results/run-record.ts';
import { armModels, type ArmModel } from './arms.ts';
import { byteCurve, type ByteCurve } from './byte-curves.ts';
import { commandLine } from './command-line.ts';
import { distributions, type Distribution } from './distributions.ts';
import { environmentFacts, imageRows, type FactGroup, type ImageRow } from './environment.ts';
import { clip, formatInstant, formatShare } from './figures.ts';
import { metricRows, type MetricRow } from './metric-rows.ts';
import { pairSet, type PairSet } from './pair-rows.ts';
import { phaseRows, type PhaseRow } from './phases.ts';
import {
  brokenProofs,
  proofRows,
  proofStanding,
  untimedTrials,
  type BrokenProof,
  type ProofRow,
  type ProofStanding,
  type UntimedTrial,
} from './proof-rows.ts';
import { createRedactor, type Redactor } from './redact.ts';
import { representativeTrials } from './representative.ts';
import { classRows, sourceRows, type ClassRow, type SourceRow } from './traffic-rows.ts';
import { trialRows, type TrialRow } from './trial-rows.ts';

/** What a report is made from: the parsed files of a run directory. */
export interface ReportInput {
  readonly run: RunRecord;
  readonly trials: readonly Trial[];
  readonly summary: Summary;
  /** Undefined while the run goes on, or when it was cut off. */
  readonly end: RunEnd | undefined;
  /** What was odd about the run directory itself, e.g. a torn last line. */
  readonly warnings: readonly string[];
}

/** Largest disagreement of two byte counters in one arm. */
export interface ClosureRow {
  readonly arm: string;
  readonly text: string;
  readonly between: readonly [string, string];
}

/** Everything that the renderers show, redacted and formatted; plain data. */
export interface ReportModel {
  readonly runId: string;
  readonly scenarioName: string;
  readonly startedText: string;
  readonly toolText: string;
  readonly sentence: string;
  readonly standing: Summary['standing'];
  /** `5 %`: effects inside ± this count as equivalent. */
  readonly marginText: string;
  /** What the reader must know before any number, e.g. that this was the embedded node. */
  readonly statements: readonly string[];
  readonly warnings: readonly string[];
  readonly arms: readonly ArmModel[];
  readonly metrics: readonly MetricRow[];
  readonly phases: readonly PhaseRow[];
  readonly pairSets: readonly PairSet[];
  readonly distributions: readonly Distribution[];
  readonly curves: readonly ByteCurve[];
  /** Why just these trials are drawn in full. */
  readonly representativeWhy: string;
  readonly trafficByClass: readonly ClassRow[];
  readonly trafficBySource: readonly SourceRow[];
  readonly closure: readonly ClosureRow[];
  readonly proofs: readonly ProofRow[];
  readonly proofStanding: ProofStanding;
  readonly brokenProofs: readonly BrokenProof[];
  readonly untimed: readonly UntimedTrial[];
  readonly environment: readonly FactGroup[];
  readonly images: readonly ImageRow[];
  readonly trials: readonly TrialRow[];
  /** trials.jsonl, redacted. */
  readonly trialsJsonl: string;
  readonly scenarioText: string;
  readonly command: string;
}

/** Removes what must not leave the house, keeping each record's type by parsing it again. */
function redacted(input: ReportInput, { json, text }: Redactor): ReportInput {
  return {
    run: runRecord.parse(json(input.run)),
    trials: input.trials.map((one) => trialSchema.parse(json(one))),
    summary: summarySchema.parse(json(input.summary)),
    end: input.end === undefined ? undefined : runEnd.parse(json(input.end)),
    warnings: input.warnings.map(text),
  };
}

/** Turns a run into what its reports show. No judgement and no estimate is made here: those are the summary's. */
export function buildReportModel(input: ReportInput): ReportModel {
  const redactor = createRedactor();
  const { run, trials, summary, end, warnings } = redacted(input, redactor);
  const arms = armModels(run, trials, summary);
  const representative = representativeTrials(
    summary,
    trials,
    arms.map((arm) => arm.name),
  );
  const proofs = proofRows(summary, trials);
  const agentStatements = run.nodes.flatMap((node) => node.agent?.statements ?? []);
  return {
    runId: run.runId,
    scenarioName: run.scenarioName,
    startedText: formatInstant(run.startedAt),
    toolText: `${run.tool.name} ${run.tool.version}`,
    sentence: clip(summary.sentence),
    standing: summary.standing,
    marginText: formatShare(summary.margin),
    statements: [...new Set([...run.cluster.statements, ...summary.statements, ...agentStatements])].map(
      (one) => clip(one),
    ),
    warnings: warnings.map((one) => clip(one)),
    arms,
    metrics: metricRows(summary),
    phases: phaseRows(trials, arms),
    pairSets: arms.flatMap((arm) => (arm.role === 'other' ? (pairSet(summary, trials, arm.name) ?? []) : [])),
    distributions: distributions(summary, trials, arms),
    curves: representative.trials.map(byteCurve),
    representativeWhy: representative.why,
    trafficByClass: classRows(representative.trials),
    trafficBySource: sourceRows(representative.trials),
    closure: summary.closure.map(({ arm, worstRatio, between }) => ({
      arm,
      text: formatShare(worstRatio),
      between,
    })),
    proofs,
    proofStanding: proofStanding(proofs),
    brokenProofs: brokenProofs(trials),
    untimed: untimedTrials(trials),
    environment: environmentFacts(run, end),
    images: imageRows(run),
    trials: trialRows(trials),
    trialsJsonl: trials.map((one) => `${JSON.stringify(one)}\n`).join(''),
    scenarioText: clip(run.scenarioText, 20_000),
    // Once more as a line: a flag's name and its secret are two words.
    command: redactor.text(commandLine(run.command)),
  };
}
