import { z } from 'zod';
import { nodeReply } from '../agent/protocol.ts';

/** What an arm's reference turned out to be: the facts that make two runs comparable. */
export const imageFacts = z.strictObject({
  arm: z.string(),
  /** Reference as the pods used it. */
  reference: z.string(),
  /** Where it came from, as the scenario wrote it. */
  source: z.string(),
  digest: z.string(),
  kind: z.enum(['oci', 'nydus', 'unknown']),
  /** Sum of the compressed sizes of manifest, config and layers. */
  sizeBytes: z.number().int().nonnegative().optional(),
  layers: z.number().int().nonnegative().optional(),
  fsVersion: z.string().optional(),
  chunkSizeBytes: z.number().int().optional(),
  builder: z.string().optional(),
});
export type ImageFacts = z.infer<typeof imageFacts>;

/** `run.json`: what was to be measured, where, and with what. Written before the first trial. */
export const runRecord = z.strictObject({
  schemaVersion: z.literal(1),
  runId: z.string(),
  scenarioName: z.string(),
  /** The scenario file as it was read, byte for byte. */
  scenarioText: z.string(),
  /** The scenario after parsing. */
  scenario: z.looseObject({}),
  plan: z.looseObject({}),
  seed: z.number().int(),
  command: z.array(z.string()),
  startedAt: z.string(),
  tool: z.strictObject({ name: z.literal('lazybench'), version: z.string(), node: z.string() }),
  cluster: z.strictObject({
    kind: z.string(),
    version: z.string(),
    context: z.string().optional(),
    /** Sentences that every output repeats. */
    statements: z.array(z.string()),
  }),
  nodes: z.array(
    z.strictObject({ name: z.string(), chosen: z.boolean(), why: z.string(), agent: nodeReply.optional() }),
  ),
  images: z.array(imageFacts),
});
export type RunRecord = z.infer<typeof runRecord>;

/** `end.json`: how the run ended; absent while it runs or after a crash. */
export const runEnd = z.strictObject({
  schemaVersion: z.literal(1),
  endedAt: z.string(),
  how: z.enum(['completed', 'stopped-early', 'interrupted', 'failed']),
  why: z.string(),
});
export type RunEnd = z.infer<typeof runEnd>;
