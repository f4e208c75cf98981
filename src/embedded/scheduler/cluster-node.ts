import { z } from 'zod';
import type { KubeObject } from '../api/kube-object.ts';

const quantities = z.record(z.string(), z.string()).default({});

const nodeSchema = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  spec: z
    .object({
      unschedulable: z.boolean().default(false),
      taints: z
        .array(z.object({ key: z.string(), value: z.string().default(''), effect: z.string() }))
        .default([]),
    })
    .default({ unschedulable: false, taints: [] }),
  status: z.object({ allocatable: quantities }).default({ allocatable: {} }),
});

/** The parts of a stored Node that the scheduler reads. */
export type ClusterNode = z.infer<typeof nodeSchema>;

/** Reads a stored node; throws when it is none. */
export const readNode = (object: KubeObject): ClusterNode => nodeSchema.parse(object);
