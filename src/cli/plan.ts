import { podManifest } from '../scenario/pod-manifest.ts';
import type { PodManifest } from '../scenario/pod-manifest.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Connection } from '../suite/connection.ts';
import { prepareRun, type PreparedRun } from '../suite/prepare-run.ts';
import { systemClock } from '../units/system-clock.ts';
import { connect, type ClusterOptions } from './connect.ts';
import type { CommandContext } from './console-streams.ts';
import { readScenario, type ScenarioOverrides } from './read-scenario.ts';

/** Stands for the run's id, which only a run has. */
const noRunId = 'plan';

/** `lazybench plan SCENARIO`: what `run` would do. Reads from the cluster, makes and changes nothing. */
export async function plan(
  file: string,
  options: ClusterOptions & ScenarioOverrides & { readonly format: 'text' | 'json' },
  context: CommandContext,
): Promise<number> {
  const { scenario, folder, warnings } = await readScenario(file, options);
  for (const warning of warnings) context.stderr.write(`warning: ${warning}\n`);
  await using connection = await connect({
    options,
    scenario,
    folder,
    stageImages: false,
    clock: systemClock,
    signal: context.signal,
    onProgress: () => undefined,
  });
  const prepared = await prepareRun(connection.cluster, scenario, context.signal);
  const manifests = firstManifests(scenario, connection, prepared);
  context.stdout.write(
    options.format === 'json'
      ? `${JSON.stringify(asJson(scenario, connection, prepared, manifests), undefined, 2)}\n`
      : asText(scenario, connection, prepared, manifests),
  );
  return 0;
}

/** One pod per arm, on the first node it runs on: the others differ in name and node only. */
function firstManifests(
  scenario: Scenario,
  connection: Connection,
  prepared: PreparedRun,
): readonly PodManifest[] {
  const [block] = prepared.plan.blocks;
  const node = block === undefined ? undefined : prepared.nodes[block.nodeIndex];
  if (block === undefined || node === undefined) return [];
  return scenario.arms.flatMap((arm) => {
    const trial = block.trials.find((one) => one.arm === arm.name);
    const image = connection.images.find((one) => one.arm === arm.name)?.reference ?? arm.image;
    if (trial === undefined) return [];
    return [
      podManifest({
        runId: noRunId,
        namespace: connection.cluster.namespace,
        scenario,
        trial,
        arm,
        image,
        node,
      }),
    ];
  });
}

const asJson = (
  scenario: Scenario,
  connection: Connection,
  prepared: PreparedRun,
  manifests: readonly PodManifest[],
): object => ({
  schemaVersion: 1,
  scenario: scenario.name,
  cluster: { kind: connection.kind, version: prepared.clusterVersion, context: connection.cluster.context },
  statements: connection.statements,
  nodes: prepared.choices.map(({ node, chosen, why }) => ({ name: node.name, chosen, why })),
  agents: [...prepared.agents.byNode.keys()],
  missing: prepared.agents.missing,
  plan: prepared.plan,
  manifests,
});

function asText(
  scenario: Scenario,
  connection: Connection,
  prepared: PreparedRun,
  manifests: readonly PodManifest[],
): string {
  const { cluster } = connection;
  const nodeName = (index: number): string => prepared.nodes[index]?.name ?? '?';
  const lines = [
    `${scenario.name}: ${prepared.plan.blocks.length} blocks of ${scenario.arms.length} arms, cache ${scenario.cache}, seed ${prepared.plan.seed}`,
    `cluster ${cluster.context} (${prepared.clusterVersion}), namespace ${cluster.namespace}`,
    ...connection.statements.map((statement) => `note: ${statement}`),
    ...prepared.agents.missing.map((what) => `note: no node agent: ${what}`),
    '',
    'Nodes',
    ...prepared.choices.map(({ node, chosen, why }) => `  ${chosen ? 'use ' : 'skip'} ${node.name}: ${why}`),
    '',
    'Schedule',
    ...prepared.plan.blocks.map(
      ({ index, nodeIndex, trials }) =>
        `  block ${String(index).padStart(2, '0')} on ${nodeName(nodeIndex)}: ${trials.map(({ arm }) => arm).join(', ')}`,
    ),
    '',
    'Manifests (one per arm)',
    ...manifests.map((manifest) => JSON.stringify(manifest, undefined, 2)),
  ];
  return `${lines.join('\n')}\n`;
}
