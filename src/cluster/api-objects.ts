import { z } from 'zod';
import type { NodeFacts } from '../scenario/node-facts.ts';

const text = z.record(z.string(), z.string());
const condition = z.looseObject({
  type: z.string(),
  status: z.string(),
});

/** A v1 Pod; its status is kept as it came, for evidence to judge. */
export const podObject = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string(),
    resourceVersion: z.string().optional(),
  }),
  spec: z
    .looseObject({
      nodeName: z.string().optional(),
      containers: z
        .array(
          z.looseObject({
            ports: z
              .array(z.looseObject({ name: z.string().optional(), containerPort: z.number().int() }))
              .optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  status: z.looseObject({}).optional(),
});
export type PodObject = z.infer<typeof podObject>;

/** A core/v1 Event: the few fields that decide something while a trial runs. */
export const eventObject = z.looseObject({
  metadata: z.looseObject({ name: z.string(), uid: z.string().optional() }),
  involvedObject: z.looseObject({ uid: z.string().optional(), name: z.string().optional() }),
  reason: z.string().optional(),
  message: z.string().optional(),
  type: z.string().optional(),
  count: z.number().nullish(),
});
export type EventObject = z.infer<typeof eventObject>;

export const listObject = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string().optional(), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullish(),
});

export const versionObject = z.looseObject({ gitVersion: z.string() });
export const secretObject = z.looseObject({ data: text.optional() });

const nodeObject = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: text.optional() }),
  spec: z
    .looseObject({
      unschedulable: z.boolean().optional(),
      taints: z
        .array(z.looseObject({ key: z.string(), value: z.string().optional(), effect: z.string() }))
        .optional(),
    })
    .optional(),
  status: z
    .looseObject({
      allocatable: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
      conditions: z.array(condition).optional(),
      nodeInfo: z
        .looseObject({
          kubeletVersion: z.string().optional(),
          containerRuntimeVersion: z.string().optional(),
        })
        .optional(),
    })
    .optional(),
});

/** Reads a v1 Node. */
export function toNodeFacts(object: unknown): NodeFacts {
  const { metadata, spec, status } = nodeObject.parse(object);
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    taints: (spec?.taints ?? []).map(({ key, value, effect }) => ({ key, value, effect })),
    isReady: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    isCordoned: spec?.unschedulable ?? false,
    gpus: Number(status?.allocatable?.['nvidia.com/gpu'] ?? 0),
    kubeletVersion: status?.nodeInfo?.kubeletVersion ?? 'unknown',
    containerRuntime: status?.nodeInfo?.containerRuntimeVersion ?? 'unknown',
  };
}
