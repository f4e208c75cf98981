import type { NodeFacts, Taint } from './node-facts.ts';
import type { PlannedTrial } from './plan.ts';
import type { Arm, Scenario } from './scenario.ts';

/** Label that every pod of a run carries; its value is the run's id. */
const runLabel = 'lazybench.dev/run';

/** Name of the one container. */
export const containerName = 'workload';

/** What a pod is made from. */
export interface PodInput {
  readonly runId: string;
  readonly namespace: string;
  readonly scenario: Scenario;
  readonly trial: PlannedTrial;
  readonly arm: Arm;
  /** The reference that the node pulls. */
  readonly image: string;
  readonly node: Pick<NodeFacts, 'name' | 'taints'>;
}

/** A v1 Pod as it is sent, as far as other code looks into it. */
export interface PodManifest {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * Pod of one trial. All arms get the same but for image and RuntimeClass. The node is pinned through the scheduler
 * (`matchFields` on its name beside the eligibility rules, in one term, so that both must hold): `spec.nodeName`
 * would bypass it, and with it the Scheduled event and the GPU accounting.
 */
export function podManifest(input: PodInput): PodManifest {
  const { workload, nodes } = input.scenario;
  const limits = workload.gpu > 0 ? { 'nvidia.com/gpu': String(workload.gpu) } : undefined;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(input.runId, input.trial.id),
      namespace: input.namespace,
      labels: {
        'app.kubernetes.io/managed-by': 'lazybench',
        [runLabel]: input.runId,
        'lazybench.dev/arm': input.arm.name,
        'lazybench.dev/trial': input.trial.id,
      },
    },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(input.arm.runtimeClass === undefined ? {} : { runtimeClassName: input.arm.runtimeClass }),
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchFields: [{ key: 'metadata.name', operator: 'In', values: [input.node.name] }],
                ...(nodes.eligibility.length === 0
                  ? {}
                  : {
                      matchExpressions: nodes.eligibility.map(({ label, operator, values }) => ({
                        key: label,
                        operator,
                        ...(values.length === 0 ? {} : { values }),
                      })),
                    }),
              },
            ],
          },
        },
      },
      tolerations: input.node.taints.filter(({ effect }) => effect !== 'PreferNoSchedule').map(tolerate),
      containers: [
        {
          name: containerName,
          image: input.image,
          imagePullPolicy: 'IfNotPresent',
          ...(workload.command === undefined ? {} : { command: workload.command }),
          ...(workload.args === undefined ? {} : { args: workload.args }),
          env: Object.entries(workload.env).map(([name, value]) => ({ name, value })),
          ...(limits === undefined ? {} : { resources: { limits, requests: limits } }),
        },
      ],
    },
  };
}

const tolerate = (taint: Taint): Record<string, string> => ({
  key: taint.key,
  effect: taint.effect,
  ...(taint.value === undefined || taint.value === ''
    ? { operator: 'Exists' }
    : { operator: 'Equal', value: taint.value }),
});

/**
 * Unique, short, a DNS label: kubelet names events `<pod>.<nanoseconds>`, and a dot in the pod's name, or a name
 * that is too long, costs that timestamp.
 */
export function podName(runId: string, trialId: string): string {
  const run = runId
    .toLowerCase()
    .replace(/[^a-z0-9]/gu, '')
    .slice(-10);
  return `lb-${run}-${trialId}`.slice(0, 63).replace(/-+$/u, '');
}
