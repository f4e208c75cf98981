import { rm } from 'node:fs/promises';
import process from 'node:process';
import { summaryExitCode } from '../decision/exit-code.ts';
import { createRunDirectory, type RunDirectory } from '../results/run-directory.ts';
import type { RunRecord } from '../results/run-record.ts';
import type { Connection } from '../suite/connection.ts';
import { prepareRun, type PreparedRun } from '../suite/prepare-run.ts';
import { runSuite, type SuiteResult } from '../suite/run-suite.ts';
import { runToTheEnd } from '../suite/stopping-rule.ts';
import { systemClock } from '../units/system-clock.ts';
import { connect, type ClusterOptions } from './connect.ts';
import type { CommandContext } from './console-streams.ts';
import { tellError } from './error-output.ts';
import { packageVersion } from './package-root.ts';
import { progressReporter } from './progress-reporter.ts';
import type { ReadScenario } from './read-scenario.ts';
import { writeReports } from './write-reports.ts';

/** Options of every command that runs a scenario. */
export interface RunOptions extends ClusterOptions {
  readonly out: string;
  readonly format: 'text' | 'json';
  readonly quiet?: true | undefined;
}

/** Runs a scenario, judges it, writes and prints the reports. Returns the exit code. */
export async function runScenario(
  read: ReadScenario,
  options: RunOptions,
  context: CommandContext,
): Promise<number> {
  const { scenario } = read;
  for (const warning of read.warnings) context.stderr.write(`warning: ${warning}\n`);
  // First of all: a place that cannot be written to should not cost a conversion.
  const directory = await createRunDirectory(options.out, scenario.name, systemClock);
  let hasRecord = false;
  let result: SuiteResult;
  try {
    using progress = progressReporter({
      stream: context.stderr,
      clock: systemClock,
      scenario,
      isQuiet: options.quiet === true,
      isColorAllowed: context.isColorAllowed,
    });
    await using connection = await connect({
      options,
      scenario,
      folder: read.folder,
      stageImages: true,
      clock: systemClock,
      signal: context.signal,
      onProgress: (text) => progress.note(text),
    });
    progress.note('looking at the cluster');
    const prepared = await prepareRun(connection.cluster, scenario, context.signal);
    hasRecord = true;
    result = await runSuite({
      scenario,
      connection,
      prepared,
      directory,
      record: runRecordOf(read, connection, prepared, directory, context),
      clock: systemClock,
      stoppingRule: runToTheEnd,
      onEvent: (event) => progress.onEvent(event),
      signal: context.signal,
    });
  } finally {
    // Nothing was measured: leave nothing behind.
    if (!hasRecord) await rm(directory.path, { recursive: true, force: true });
  }
  const { summary } = await writeReports(directory.path, options.format, context);
  if (result.fatal === undefined) return summaryExitCode(summary);
  const told = tellError(result.fatal, context.isDebug);
  context.stderr.write(told.text);
  return told.exitCode;
}

function runRecordOf(
  read: ReadScenario,
  connection: Connection,
  prepared: PreparedRun,
  directory: RunDirectory,
  context: CommandContext,
): RunRecord {
  const { scenario } = read;
  return {
    schemaVersion: 1,
    runId: directory.runId,
    scenarioName: scenario.name,
    scenarioText: read.text,
    scenario: { ...scenario },
    plan: { ...prepared.plan },
    seed: scenario.seed,
    command: [...context.command],
    startedAt: new Date(Number(systemClock.wallNs() / 1_000_000n)).toISOString(),
    tool: { name: 'lazybench', version: packageVersion(), node: process.version },
    cluster: {
      kind: connection.kind,
      version: prepared.clusterVersion,
      context: connection.cluster.context,
      statements: [
        ...connection.statements,
        ...prepared.agents.missing.map((what) => `No node agent: ${what}.`),
      ],
    },
    nodes: prepared.choices.map(({ node, chosen, why }) => {
      const agent = prepared.nodeReplies.get(node.name);
      return { name: node.name, chosen, why, ...(agent === undefined ? {} : { agent }) };
    }),
    images: [...connection.images],
  };
}
