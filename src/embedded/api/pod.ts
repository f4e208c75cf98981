import { z } from 'zod';
import type { KubeObject } from './kube-object.ts';

// Quantities may be numbers in the request (`nvidia.com/gpu: 1`); they are texts from here on.
const quantity = z.union([z.string(), z.number()]).transform(String);
const requirement = z.object({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: z.array(z.string()).default([]),
});
const container = z.object({
  name: z.string(),
  image: z.string(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
  env: z.array(z.object({ name: z.string(), value: z.string().default('') })).default([]),
  resources: z.object({ requests: z.record(z.string(), quantity).default({}) }).default({ requests: {} }),
});

/** The parts of a stored Pod that scheduler and kubelet read. */
const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({
    nodeName: z.string().optional(),
    schedulerName: z.string().default('default-scheduler'),
    restartPolicy: z.enum(['Always', 'OnFailure', 'Never']).default('Always'),
    runtimeClassName: z.string().optional(),
    hostNetwork: z.boolean().default(false),
    nodeSelector: z.record(z.string(), z.string()).default({}),
    affinity: z
      .object({
        nodeAffinity: z
          .object({
            requiredDuringSchedulingIgnoredDuringExecution: z
              .object({
                nodeSelectorTerms: z.array(
                  z.object({
                    matchExpressions: z.array(requirement).default([]),
                    matchFields: z.array(requirement).default([]),
                  }),
                ),
              })
              .optional(),
          })
          .optional(),
      })
      .optional(),
    tolerations: z
      .array(
        z.object({
          key: z.string().optional(),
          operator: z.enum(['Exists', 'Equal']).default('Equal'),
          value: z.string().default(''),
          effect: z.string().optional(),
        }),
      )
      .default([]),
    containers: z.array(container),
  }),
  status: z.object({ phase: z.string().default('Pending') }).default({ phase: 'Pending' }),
});

export type Pod = z.infer<typeof podSchema>;
export type PodContainer = Pod['spec']['containers'][number];
export type NodeRequirement = z.infer<typeof requirement>;

/** Reads a stored pod; throws when it is none (admission has let it in, so that is a bug). */
export const readPod = (object: KubeObject): Pod => podSchema.parse(object);

/** Same reading of a pod that is not admitted yet: what is wrong, or undefined. */
export function podSpecProblem(spec: unknown): string | undefined {
  const result = podSchema.shape.spec.safeParse(spec);
  if (result.success) return undefined;
  const issue = result.error.issues[0];
  return issue === undefined ? 'unreadable' : `spec.${issue.path.join('.')}: ${issue.message}`;
}

/** Has the pod ended for good? */
export const hasEnded = (pod: Pod): boolean =>
  pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
