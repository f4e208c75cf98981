import { z } from 'zod';
import { parseDurationMs } from '../units/duration.ts';
import { parseRateBytesPerSecond } from '../units/rate.ts';
import { metrics } from './scenario.ts';

const durationHint = 'a number with a unit (ns, us, ms, s, m or h), for example 10m or 1m30s';
const rateHint = 'a number with a unit (kbit, Mbit, Gbit, kB/s, MB/s, GB/s or MiB/s), for example 400Mbit';
const percentHint = 'a percentage between 0% and 100%, for example 5%';

/** A text that `parse` understands; the message says what would have been understood. */
const measured = (parse: (text: string) => number | undefined, hint: string) =>
  z
    .string({ error: `needs ${hint}` })
    .meta({ description: hint })
    .transform((text, context) => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: `"${text}" is not ${hint}`, input: text });
      return z.NEVER;
    });

const parsePercent = (text: string): number | undefined => {
  const [, digits] = /^(\d+(?:\.\d+)?)\s?%$/u.exec(text) ?? [];
  const ratio = Number(digits) / 100;
  return ratio > 0 && ratio < 1 ? ratio : undefined;
};

const durationText = measured(parseDurationMs, durationHint);
const above0 = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 ? value : undefined;
const positiveDurationText = measured((text) => above0(parseDurationMs(text)), `${durationHint}, above zero`);
const rateText = measured((text) => above0(parseRateBytesPerSecond(text)), rateHint);
const percentText = measured(parsePercent, percentHint);
const quoted = z.string({ error: 'must be a text: put it in quotes' });

const eligibilityRule = z
  .strictObject({
    label: z.string().min(1).describe('Label key that the rule looks at.'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
    values: z.array(quoted).default([]).describe('Label values, as texts.'),
  })
  .superRefine((rule, context) => {
    const { operator, values } = rule;
    const problem =
      operator === 'Exists' || operator === 'DoesNotExist'
        ? values.length > 0 && 'takes no values'
        : operator === 'Gt' || operator === 'Lt'
          ? !(values.length === 1 && /^-?\d+$/u.test(values[0] ?? '')) && 'takes exactly one whole number'
          : values.length === 0 && 'needs at least one value';
    if (problem !== false)
      context.addIssue({ code: 'custom', path: ['values'], message: `operator ${operator} ${problem}` });
  });

const isRegularExpression = (pattern: string): boolean => {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
};

/** Exactly one key: a union of objects would report a misspelt key as "matches none of three". */
const readySign = z
  .strictObject({
    log: z
      .string()
      .min(1)
      .refine(isRegularExpression, 'is not a regular expression (JavaScript syntax)')
      .optional()
      .describe('Regular expression; the first log line that matches is the sign.'),
    http: z
      .strictObject({
        port: z.int().min(1).max(65_535),
        path: z.string().startsWith('/', 'must start with /').default('/'),
      })
      .optional()
      .describe('Ready when this answers with 2xx, asked through the API server.'),
    probe: z
      .literal(true)
      .optional()
      .describe("Ready when the pod's condition says so (whole seconds only)."),
  })
  .refine((sign) => Object.values(sign).filter((value) => value !== undefined).length === 1, {
    message: 'needs exactly one of log, http and probe',
  })
  .meta({ minProperties: 1, maxProperties: 1 });

const prefetch = z
  .union([z.enum(['off', 'all']), z.strictObject({ list: z.string().min(1) })], {
    error: 'must be off, all or { list: FILE }',
  })
  .describe('What nydusd fetches ahead of the reads.');

const arm = z.strictObject({
  image: z
    .string()
    .min(1)
    .describe(
      'Registry reference, oci:DIR, oci-archive:FILE or docker-archive:FILE; paths start at the scenario file.',
    ),
  runtimeClass: z.string().min(1).optional().describe('RuntimeClass of the pods.'),
  expect: z
    .enum(['lazy', 'eager'])
    .optional()
    .describe('What the proofs must show. Default: lazy with a runtimeClass or convert, eager without.'),
  convert: z
    .literal('builtin')
    .optional()
    .describe('Make the Nydus image from `image` with the built-in converter.'),
  prefetch: prefetch.default('off'),
});

const armName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?$/u,
    'must be at most 30 lower-case letters, digits and dashes',
  );

/** The scenario file as people write it, strict: an unknown key is an error. */
export const scenarioFile = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u,
      'must be at most 63 lower-case letters, digits and dashes',
    )
    .describe('Names the folder under reports/.'),
  description: z.string().optional(),
  nodes: z
    .strictObject({
      selector: z.record(z.string(), quoted).default({}).describe('Labels that a node must have.'),
      eligibility: z.array(eligibilityRule).default([]).describe('Further rules, as node affinity has them.'),
      count: z.int().min(1).max(1000).default(1).describe('How many nodes to run on.'),
    })
    .default({ selector: {}, eligibility: [], count: 1 }),
  workload: z.strictObject({
    command: z.array(quoted).min(1).optional(),
    args: z.array(quoted).optional(),
    env: z.record(z.string(), quoted).default({}),
    gpu: z.int().min(0).max(64).default(0).describe('nvidia.com/gpu per pod.'),
    ready: readySign,
    timeout: positiveDurationText.default(600_000).describe('A trial not ready by then has timed out.'),
    settle: durationText.default(10_000).describe('How long after ready the traffic is watched.'),
    trace: z
      .string()
      .min(1)
      .optional()
      .describe('Access trace that the embedded node replays, or all-files.'),
  }),
  arms: z
    .record(armName, arm)
    .refine(
      (arms) => Object.keys(arms).length >= 2,
      'needs at least two arms: a baseline and one to compare with it',
    ),
  baseline: z.string().describe('Name of the arm that the others are compared with.'),
  cache: z
    .enum(['cold', 'layer-warm', 'warm'])
    .default('cold')
    .describe('Cache state every trial starts from.'),
  pairs: z
    .strictObject({
      min: z.int().min(1).default(6).describe('Fewer than 6 cannot give an exact 95 % interval.'),
      max: z.int().min(1).default(20),
      target: z
        .strictObject({ metric: z.enum(metrics).default('timeToReady'), halfWidth: percentText })
        .optional()
        .describe('Stop between min and max once the interval is this narrow.'),
    })
    .default({ min: 6, max: 20 }),
  link: z
    .strictObject({
      bandwidth: rateText,
      latency: durationText.default(0).describe('One way.'),
      connections: z.int().min(1).max(4096).default(64).describe('Connections open at once; more wait.'),
    })
    .optional()
    .describe('Shaped link between node and registry (embedded cluster and lab).'),
  seed: z.int().min(0).max(0xffff_ffff).default(1).describe('Draws the order of the arms.'),
});
export type ScenarioFile = z.infer<typeof scenarioFile>;
