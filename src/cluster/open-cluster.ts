import { HarnessError } from '../errors/harness-error.ts';
import type { Clock } from '../units/clock.ts';
import type { Cluster } from './cluster.ts';
import { HttpTransport } from './http-transport.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';

/** Which cluster, in kubectl's terms. */
export interface ClusterChoice {
  /** File to use instead of KUBECONFIG, ~/.kube/config and the service account. */
  readonly kubeconfig?: string | undefined;
  /** A kubeconfig's text: for a cluster that was started by this process. */
  readonly kubeconfigText?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * Opens a cluster as kubectl would: flags, then KUBECONFIG (a list of files), ~/.kube/config, then the pod's own
 * service account. Nothing is sent yet. Throws CLUSTER_CONFIG_INVALID when there is nothing to connect to.
 */
export async function openCluster(choice: ClusterChoice, clock: Clock): Promise<Cluster> {
  // A second of loading that `report` or `--help` must not pay for.
  const client = await import('@kubernetes/client-node');
  const config = new client.KubeConfig();
  try {
    if (choice.kubeconfigText !== undefined) config.loadFromString(choice.kubeconfigText);
    else if (choice.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(choice.kubeconfig);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HarnessError('CLUSTER_CONFIG_INVALID', `cannot read the kubeconfig: ${reason}`, {
      cause: error,
    });
  }
  if (choice.context !== undefined) {
    if (config.getContextObject(choice.context) === null)
      throw new HarnessError(
        'CLUSTER_CONFIG_INVALID',
        `the kubeconfig has no context \`${choice.context}\` (it has: ${
          config
            .getContexts()
            .map(({ name }) => name)
            .join(', ') || 'none'
        })`,
      );
    config.setCurrentContext(choice.context);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new HarnessError(
      'CLUSTER_CONFIG_INVALID',
      'the kubeconfig names no current context, or one without a cluster',
    );
  const context = config.getCurrentContext();
  const namespace = choice.namespace ?? config.getContextObject(context)?.namespace ?? 'default';
  return new KubernetesCluster(new HttpTransport(config, client, clock), { context, namespace }, clock);
}
