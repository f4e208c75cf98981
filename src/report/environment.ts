import type { RunEnd, RunRecord } from '../results/run-record.ts';
import { formatBytes } from '../units/size.ts';
import { clip, formatInstant, notMeasured } from './figures.ts';

/** A titled list of facts. */
export interface FactGroup {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** One arm's image as it was measured. */
export interface ImageRow {
  readonly arm: string;
  readonly reference: string;
  readonly source: string;
  readonly digest: string;
  readonly kind: string;
  readonly sizeText: string;
  readonly layersText: string;
  readonly details: string;
}

/** Where and with what the run was made: run, tool, cluster, then each chosen node. */
export function environmentFacts(run: RunRecord, end: RunEnd | undefined): readonly FactGroup[] {
  const { tool, cluster } = run;
  return [
    {
      title: 'Run',
      facts: [
        ['Scenario', run.scenarioName],
        ['Run', run.runId],
        ['Started', formatInstant(run.startedAt)],
        [
          'Ended',
          end === undefined ? 'not recorded: the run was cut off or goes on' : formatInstant(end.endedAt),
        ],
        ...(end === undefined ? [] : [['How it ended', clip(`${end.how}: ${end.why}`)] as const]),
        ['Seed', String(run.seed)],
        ['Tool', `${tool.name} ${tool.version} on Node ${tool.node}`],
      ],
    },
    {
      title: 'Cluster',
      facts: [
        ['Kind', cluster.kind],
        ['Version', cluster.version],
        ...(cluster.context === undefined ? [] : [['Context', cluster.context] as const]),
      ],
    },
    ...run.nodes.map((node) => ({ title: `Node ${node.name}`, facts: nodeFacts(node) })),
  ];
}

function nodeFacts(node: RunRecord['nodes'][number]): FactGroup['facts'] {
  const { agent } = node;
  const facts: (readonly [string, string])[] = [[node.chosen ? 'Chosen' : 'Left out', clip(node.why)]];
  if (agent === undefined) return [...facts, ['Agent', 'none: what it would show is missing']];
  const { nydusd } = agent;
  facts.push(
    ['System', `${agent.os}, kernel ${agent.kernel}, ${agent.architecture}`],
    ['Container runtime', agent.containerRuntime],
    [
      'Snapshotters',
      agent.snapshotters
        .map(({ name, version }) => (version === undefined ? name : `${name} ${version}`))
        .join(', '),
    ],
    [
      'Runtime handlers',
      agent.runtimeHandlers.map((handler) => (handler === '' ? '(default)' : handler)).join(', '),
    ],
  );
  if (nydusd !== undefined) {
    facts.push(['nydusd', `${nydusd.version}, prefetch ${nydusd.prefetch}`]);
    if (nydusd.amplifyIoBytes !== undefined)
      facts.push(['Read widened to', `${formatBytes(nydusd.amplifyIoBytes)} (amplify_io)`]);
  }
  facts.push(['Clock source', agent.clockSource], ['Agent', agent.agentVersion]);
  return facts;
}

/** Images and digests, one line per arm. */
export function imageRows(run: RunRecord): readonly ImageRow[] {
  return run.images.map((image) => ({
    arm: image.arm,
    reference: image.reference,
    source: image.source,
    digest: image.digest,
    kind: image.kind,
    sizeText: image.sizeBytes === undefined ? notMeasured : formatBytes(image.sizeBytes),
    layersText: image.layers === undefined ? notMeasured : String(image.layers),
    details: [
      ...(image.fsVersion === undefined ? [] : [`RAFS v${image.fsVersion.replace(/^v/u, '')}`]),
      ...(image.chunkSizeBytes === undefined ? [] : [`chunks of ${formatBytes(image.chunkSizeBytes)}`]),
      ...(image.builder === undefined ? [] : [`built by ${image.builder}`]),
    ].join(', '),
  }));
}
