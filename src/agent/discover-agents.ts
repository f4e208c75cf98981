import { HarnessError } from '../errors/harness-error.ts';
import type { AgentHost, AgentPod } from './agent-host.ts';
import { AgentClient } from './client.ts';

/** Where deploy/ puts the agents and their token. */
export const agentNamespace = 'lazybench-system';
export const agentTokenSecret = 'lazybench-agent-token';
export const agentSelector = 'app.kubernetes.io/name=lazybench-agent';
/** Used where the pod declares no port. */
export const defaultAgentPort = 9471;

/** The agents of a cluster, by node; `missing` says why there is none where there could be. */
export interface DiscoveredAgents {
  readonly byNode: ReadonlyMap<string, AgentClient>;
  readonly missing: readonly string[];
}

/**
 * Finds the node agents. Without them a run goes on: proofs and bytes are then missing and said to be. So "not
 * allowed to look" is a sentence, too; only an unreachable cluster rejects.
 */
export async function discoverAgents(host: AgentHost, signal?: AbortSignal): Promise<DiscoveredAgents> {
  try {
    const pods = await host.listPods({ namespace: agentNamespace, labelSelector: agentSelector }, signal);
    if (pods.length === 0)
      return { byNode: new Map(), missing: [`no agent runs in namespace ${agentNamespace}`] };
    const secret = await host.readSecret(agentNamespace, agentTokenSecret, signal);
    const token = secret?.['token']?.trim();
    if (token === undefined || token === '')
      return {
        byNode: new Map(),
        missing: [`agents run, but Secret ${agentNamespace}/${agentTokenSecret} has no token`],
      };
    return { byNode: clientsByNode(host, pods, token), missing: [] };
  } catch (error) {
    if (
      error instanceof HarnessError &&
      (error.code === 'CLUSTER_FORBIDDEN' || error.code === 'CLUSTER_REFUSED')
    )
      return { byNode: new Map(), missing: [`agents cannot be looked for: ${error.message}`] };
    throw error;
  }
}

function clientsByNode(host: AgentHost, pods: readonly AgentPod[], token: string): Map<string, AgentClient> {
  const byNode = new Map<string, AgentClient>();
  for (const { metadata, spec } of pods) {
    const nodeName = spec?.nodeName;
    if (nodeName === undefined) continue;
    const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
    const port = (ports.find(({ name }) => name === 'agent') ?? ports[0])?.containerPort ?? defaultAgentPort;
    const namespace = metadata.namespace ?? agentNamespace;
    byNode.set(nodeName, new AgentClient(host, { nodeName, namespace, pod: metadata.name, port, token }));
  }
  return byNode;
}
