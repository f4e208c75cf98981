import { z } from 'zod';
import { durationNames, proof } from '../evidence/trial.ts';

/** What can be said about one metric of one arm against the baseline. */
export const verdictKinds = ['faster', 'slower', 'equivalent', 'inconclusive'] as const;

/** Effect of an arm on a metric: other arm ÷ baseline, so below 1 is faster (or fewer). */
export const effect = z.strictObject({
  /** Hodges-Lehmann estimate of the ratio. */
  ratio: z.number(),
  interval: z.strictObject({ low: z.number(), high: z.number(), confidence: z.number() }).optional(),
  pairs: z.number().int().nonnegative(),
  method: z.string(),
});
export type Effect = z.infer<typeof effect>;

/** Five-number summary and mean-free description of one arm's samples (type-7 quantiles). */
export const description = z.strictObject({
  n: z.number().int().nonnegative(),
  min: z.number(),
  q1: z.number(),
  median: z.number(),
  q3: z.number(),
  max: z.number(),
});
export type Description = z.infer<typeof description>;

/** One comparison: arm against baseline on one metric. */
export const comparison = z.strictObject({
  arm: z.string(),
  baseline: z.string(),
  metric: z.enum([...durationNames, 'bytesAtReady', 'bytesAtEnd', 'requestsAtEnd']),
  unit: z.enum(['ms', 'bytes', 'requests']),
  verdict: z.enum(verdictKinds),
  /** Why this verdict and not another, in words. */
  because: z.string(),
  effect: effect.optional(),
  baselineSamples: description.optional(),
  armSamples: description.optional(),
  /** The pairs themselves, in run order: [block, node, baseline value, arm value]. */
  pairs: z.array(z.tuple([z.number(), z.string(), z.number(), z.number()])),
});
export type Comparison = z.infer<typeof comparison>;

/** `summary.json`: computed from run.json, trials.jsonl and nothing else. */
export const summary = z.strictObject({
  schemaVersion: z.literal(1),
  runId: z.string(),
  scenarioName: z.string(),
  /** The verdict in one sentence, with interval and n. */
  sentence: z.string(),
  /** `ok`, or what keeps the run from being trusted (exit code 4 then). */
  standing: z.enum(['ok', 'incomplete', 'invalid', 'inconclusive']),
  margin: z.number(),
  comparisons: z.array(comparison),
  counts: z.array(
    z.strictObject({
      arm: z.string(),
      completed: z.number().int(),
      failed: z.number().int(),
      timedOut: z.number().int(),
      invalid: z.number().int(),
    }),
  ),
  proofs: z.array(
    z.strictObject({
      arm: z.string(),
      name: proof.shape.name,
      proved: z.number().int(),
      refuted: z.number().int(),
      missing: z.number().int(),
    }),
  ),
  /** Largest closure over completed trials per arm. */
  closure: z.array(
    z.strictObject({ arm: z.string(), worstRatio: z.number(), between: z.tuple([z.string(), z.string()]) }),
  ),
  statements: z.array(z.string()),
});
export type Summary = z.infer<typeof summary>;
