import { labRegistryAddress } from './lab-layout.ts';
import { describeShaping } from './lab-network.ts';
import { adminConfig } from './lab-objects.ts';
import { readLabState, type LabState } from './lab-state.ts';
import { ProcessTable } from './process-table.ts';

/** What `lab status` shows. */
export interface LabStatus {
  readonly state: LabState;
  readonly registryAddress: string;
  readonly kubeconfig: string;
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly isRunning: boolean }[];
  readonly nodes: readonly {
    readonly name: string;
    readonly address: string;
    readonly isReady: boolean | undefined;
    /** The kernel's word for the node's bandwidth limit; undefined when there is none. */
    readonly bandwidth: string | undefined;
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

/** Looks at the lab in `directory`; undefined when there is none. */
export async function labStatus(directory: string): Promise<LabStatus | undefined> {
  const lab = await readLabState(directory);
  if (lab === undefined) return undefined;
  const { state, layout } = lab;
  const ready = await readiness(layout).catch(() => new Map<string, boolean>());
  return {
    state,
    registryAddress: labRegistryAddress(layout),
    kubeconfig: `${layout.pkiDirectory}/lazybench.kubeconfig`,
    processes: await new ProcessTable(layout.directory, layout.logDirectory).list(),
    nodes: await Promise.all(
      layout.nodes.map(async (node) => ({
        name: node.name,
        address: node.address,
        isReady: ready.get(node.name),
        bandwidth: await describeShaping(node),
        labels: node.labels,
      })),
    ),
  };
}

async function readiness(layout: Parameters<typeof adminConfig>[0]): Promise<Map<string, boolean>> {
  const { CoreV1Api } = await import('@kubernetes/client-node');
  const core = (await adminConfig(layout)).makeApiClient(CoreV1Api);
  const { items } = await core.listNode();
  return new Map(
    items.map((node) => [
      node.metadata?.name ?? '',
      node.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false,
    ]),
  );
}
