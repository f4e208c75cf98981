import { agentImage } from './agent-runtime.ts';

/** Namespace of the agents and their token, as in deploy/. */
export const agentNamespace = 'lazybench-system';
/** Secret that holds the token of all agents, under the key `token`. */
export const agentTokenSecret = 'lazybench-agent-token';

export const agentPodName = (nodeName: string): string => `lazybench-agent-${nodeName}`;

/** Namespace and token, to be created before the pods. */
export function agentSetup(token: string): readonly object[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: agentNamespace } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { name: agentTokenSecret, namespace: agentNamespace },
      data: { token: Buffer.from(token).toString('base64') },
    },
  ];
}

/** The agent's pod on one node, as the DaemonSet of deploy/ would make it. */
export function agentPod(nodeName: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: agentPodName(nodeName),
      namespace: agentNamespace,
      labels: { 'app.kubernetes.io/name': 'lazybench-agent' },
    },
    spec: {
      nodeName,
      containers: [{ name: 'agent', image: agentImage, imagePullPolicy: 'IfNotPresent' }],
      tolerations: [{ operator: 'Exists' }],
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
    },
  };
}
