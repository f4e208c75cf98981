import { HarnessError } from '../errors/harness-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Connection } from '../suite/connection.ts';
import type { Clock } from '../units/clock.ts';
import { nearestKey } from '../scenario/nearest-key.ts';

/** Which cluster, as the command line has it. */
export interface ClusterOptions {
  readonly cluster?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/** What a connection is made for. */
export interface ConnectRequest {
  readonly options: ClusterOptions;
  readonly scenario: Scenario;
  /** Folder that relative paths in the scenario start from. */
  readonly folder: string;
  /** False: only look (`plan`): images are not converted, copied or fetched. */
  readonly stageImages: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What is being prepared, for people who wait. */
  readonly onProgress: (text: string) => void;
}

const lanes = ['embedded'];

/** Connects to the cluster that the options name: the one place that knows which lane it is. */
export async function connect(request: ConnectRequest): Promise<Connection> {
  const { cluster, kubeconfig, context } = request.options;
  if (cluster === undefined) {
    const { connectKubernetes } = await import('./connect-kubernetes.ts');
    return connectKubernetes(request);
  }
  if (cluster !== 'embedded') {
    const meant = nearestKey(cluster, lanes);
    throw new HarnessError(
      'CLUSTER_UNKNOWN',
      `unknown cluster \`${cluster}\`${meant === undefined ? '' : `, did you mean \`${meant}\`?`}`,
    );
  }
  if (kubeconfig !== undefined || context !== undefined)
    throw new HarnessError(
      'USAGE',
      '--cluster embedded takes no --kubeconfig and no --context: it has its own',
    );
  const { connectEmbedded } = await import('./connect-embedded.ts');
  return connectEmbedded(request);
}
