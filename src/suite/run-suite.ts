import { HarnessError } from '../errors/harness-error.ts';
import { judgeTrial } from '../evidence/judge-trial.ts';
import type { RawEvidence } from '../evidence/raw-evidence.ts';
import type { Trial } from '../evidence/trial.ts';
import { writeRunEnd, writeRunRecord, type RunDirectory } from '../results/run-directory.ts';
import type { RunEnd, RunRecord } from '../results/run-record.ts';
import { openTrialLog } from '../results/trial-log.ts';
import type { Arm, Scenario } from '../scenario/scenario.ts';
import type { Block, PlannedTrial } from '../scenario/plan.ts';
import { gatherTrial } from '../trial/gather-trial.ts';
import { MeterReader } from '../trial/meter-reader.ts';
import type { Clock } from '../units/clock.ts';
import type { Connection } from './connection.ts';
import { unknownDigest } from './image-facts.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { StoppingRule } from './stopping-rule.ts';
import type { SuiteEvent } from './suite-event.ts';

/** A run that is ready to start. */
export interface SuiteInput {
  readonly scenario: Scenario;
  readonly connection: Connection;
  readonly prepared: PreparedRun;
  readonly directory: RunDirectory;
  readonly record: RunRecord;
  readonly clock: Clock;
  readonly stoppingRule: StoppingRule;
  readonly onEvent: (event: SuiteEvent) => void;
  /** Aborts = stop, clean up, keep what was measured. */
  readonly signal: AbortSignal;
}

/** How a run ended. `fatal`: what made it end before its time, to be shown after what was measured. */
export interface SuiteResult {
  readonly end: RunEnd;
  readonly fatal: HarnessError | undefined;
}

/**
 * Runs a plan: run.json first, then block after block, each trial recorded before the next one starts, end.json last.
 * However it ends, the directory holds everything that was measured.
 */
export async function runSuite(input: SuiteInput): Promise<SuiteResult> {
  const { directory, prepared, connection, onEvent } = input;
  await writeRunRecord(directory, input.record);
  onEvent({
    kind: 'run-started',
    runPath: directory.path,
    trials: prepared.plan.blocks.reduce((sum, { trials }) => sum + trials.length, 0),
    nodes: prepared.nodes.length,
  });
  const meter = connection.meter === undefined ? undefined : new MeterReader(connection.meter);
  const result = await runBlocks(input, meter).catch(async (error: unknown): Promise<SuiteResult> => {
    const why = error instanceof Error ? error.message : String(error);
    const end = endRecord(input.clock, 'failed', why);
    if (error instanceof HarnessError) return { end, fatal: error };
    await writeRunEnd(directory, end);
    throw error;
  });
  await writeRunEnd(directory, result.end);
  onEvent({ kind: 'run-ended', end: result.end });
  return result;
}

async function runBlocks(input: SuiteInput, meter: MeterReader | undefined): Promise<SuiteResult> {
  const { scenario, prepared, clock, signal } = input;
  const done: Trial[] = [];
  const finished = (how: RunEnd['how'], why: string, fatal?: HarnessError): SuiteResult => ({
    end: endRecord(clock, how, why),
    fatal,
  });
  await using log = await openTrialLog(input.directory);
  for (const block of prepared.plan.blocks) {
    for (const planned of block.trials) {
      if (signal.aborted) return finished('interrupted', `interrupted before trial ${planned.id}`);
      const { trial, raw, fatal } = await runTrial(input, meter, block, planned, done.length);
      await log.append(trial, raw);
      done.push(trial);
      input.onEvent({ kind: 'trial-ended', trial, index: done.length - 1 });
      if (fatal !== undefined) return finished('failed', fatal.message, fatal);
      if (raw.end.kind === 'interrupted')
        return finished('interrupted', `interrupted during trial ${planned.id}`);
    }
    const pairs = block.index + 1;
    if (scenario.pairs.target === undefined || pairs < scenario.pairs.min) continue;
    const why = input.stoppingRule(scenario, done);
    if (why !== undefined && pairs < prepared.plan.blocks.length) return finished('stopped-early', why);
  }
  return finished('completed', `all ${prepared.plan.blocks.length} planned pairs were run`);
}

interface RecordedTrial {
  readonly trial: Trial;
  readonly raw: RawEvidence;
  readonly fatal: HarnessError | undefined;
}

async function runTrial(
  input: SuiteInput,
  meter: MeterReader | undefined,
  block: Block,
  planned: PlannedTrial,
  index: number,
): Promise<RecordedTrial> {
  const { scenario, connection, prepared, clock, onEvent } = input;
  const node = prepared.nodes[block.nodeIndex];
  const arm = armOf(scenario, planned.arm);
  if (node === undefined)
    throw new Error(`the plan names node ${block.nodeIndex}, of ${prepared.nodes.length}`);
  const factsOf = (name: string): Connection['images'][number] => {
    const facts = connection.images.find((image) => image.arm === name);
    if (facts === undefined) throw new Error(`the connection has no image for arm ${name}`);
    return facts;
  };
  onEvent({ kind: 'trial-started', trial: planned, node: node.name, index });
  const { raw, fatal } = await gatherTrial(
    {
      runId: input.directory.runId,
      scenario,
      trial: planned,
      arm,
      node,
      imageOf: (name) => factsOf(name).reference,
      cluster: connection.cluster,
      agent: prepared.agents.byNode.get(node.name),
      meter,
      clock,
      onPhase: (phase) => onEvent({ kind: 'phase', trial: planned, phase }),
    },
    input.signal,
  );
  const { reference, digest, sizeBytes } = factsOf(arm.name);
  const trial = judgeTrial(raw, {
    block: planned.block,
    position: planned.position,
    recordedAt: isoNow(clock),
    expect: arm.expect,
    cache: scenario.cache,
    image: { reference, digest: digest === unknownDigest ? undefined : digest, sizeBytes },
  });
  return { trial, raw, fatal };
}

const armOf = (scenario: Scenario, name: string): Arm => {
  const arm = scenario.arms.find((one) => one.name === name);
  if (arm === undefined) throw new Error(`the plan names arm ${name}, which the scenario has not`);
  return arm;
};

const isoNow = (clock: Clock): string => new Date(Number(clock.wallNs() / 1_000_000n)).toISOString();

const endRecord = (clock: Clock, how: RunEnd['how'], why: string): RunEnd => ({
  schemaVersion: 1,
  endedAt: isoNow(clock),
  how,
  why,
});
