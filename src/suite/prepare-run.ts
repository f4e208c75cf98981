import { discoverAgents, type DiscoveredAgents } from '../agent/discover-agents.ts';
import type { NodeReply } from '../agent/protocol.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { HarnessError } from '../errors/harness-error.ts';
import { chooseNodes, type NodeChoice } from '../scenario/choose-nodes.ts';
import { makePlan } from '../scenario/make-plan.ts';
import type { NodeFacts } from '../scenario/node-facts.ts';
import type { Plan } from '../scenario/plan.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** What is fixed before the first trial. */
export interface PreparedRun {
  readonly choices: readonly NodeChoice[];
  /** The chosen nodes, in the order of the plan's node indexes. */
  readonly nodes: readonly NodeFacts[];
  readonly plan: Plan;
  readonly agents: DiscoveredAgents;
  /** What each agent says about its node. */
  readonly nodeReplies: ReadonlyMap<string, NodeReply>;
  readonly clusterVersion: string;
}

/** Blocks of a run: `max` when a target may stop it early, else just `min`. */
export const plannedBlocks = ({ pairs }: Pick<Scenario, 'pairs'>): number =>
  pairs.target === undefined ? pairs.min : pairs.max;

/**
 * Looks at the cluster, chooses nodes and draws the plan; changes nothing. Throws NO_ELIGIBLE_NODE that lists every
 * node with the reason it was refused.
 */
export async function prepareRun(
  cluster: Cluster,
  scenario: Scenario,
  signal: AbortSignal,
): Promise<PreparedRun> {
  const [clusterVersion, facts, agents] = await Promise.all([
    cluster.version(signal),
    cluster.nodes(signal),
    discoverAgents(cluster, signal),
  ]);
  const choices = chooseNodes(facts, scenario.nodes, scenario.workload.gpu);
  const nodes = choices.filter(({ chosen }) => chosen).map(({ node }) => node);
  if (nodes.length === 0)
    throw new HarnessError(
      'NO_ELIGIBLE_NODE',
      [
        facts.length === 0 ? 'the cluster has no node' : 'no node is eligible:',
        ...choices.map(({ node, why }) => `  ${node.name}: ${why}`),
      ].join('\n'),
      { details: { nodes: choices.map(({ node, why }) => ({ name: node.name, why })) } },
    );
  const plan = makePlan({
    arms: scenario.arms.map(({ name }) => name),
    nodeCount: nodes.length,
    blocks: plannedBlocks(scenario),
    seed: scenario.seed,
  });
  const nodeReplies = new Map<string, NodeReply>();
  for (const { name } of nodes) {
    const reply = await agents.byNode
      .get(name)
      ?.node(signal)
      .catch((error: unknown) => {
        if (error instanceof HarnessError && error.code === 'AGENT_UNAVAILABLE') return undefined;
        throw error;
      });
    if (reply !== undefined) nodeReplies.set(name, reply);
  }
  return { choices, nodes, plan, agents, nodeReplies, clusterVersion };
}
