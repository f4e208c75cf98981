import { z } from 'zod';
import { instantNs } from '../agent/protocol.ts';
import { marks, trafficClass } from './raw-evidence.ts';

/** The instants of a trial, in the order in which they normally come. */
export const instantNames = [
  'submitted',
  'scheduled',
  'pulling',
  'pulled',
  'created',
  'started',
  'firstLog',
  'ready',
  'firstResponse',
  'deleted',
] as const;
export type InstantName = (typeof instantNames)[number];

/** Letter of the source of an instant: docs/metrics.md, after the table of Kubernetes' timestamp sources. */
export const sourceLetter = z.enum(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'K', 'P']);
export type SourceLetter = z.infer<typeof sourceLetter>;

/** One instant with where it comes from and how wrong it can be. */
export const instant = z.strictObject({
  atNs: instantNs,
  clock: z.enum(['node', 'client', 'scheduler']),
  source: sourceLetter,
  /** The true instant lies within ± this of `atNs`, on the same clock. */
  errorNs: instantNs,
});
export type Instant = z.infer<typeof instant>;

/** The instants of one trial; one that was not measured is absent. */
export const timeline = z.partialRecord(z.enum(instantNames), instant);
export type Timeline = z.infer<typeof timeline>;

/** A length of time between two instants, with both errors (and the clock offset's, across clocks) in `errorMs`. */
export const duration = z.strictObject({
  durationMs: z.number(),
  errorMs: z.number().nonnegative(),
  from: z.enum(instantNames),
  to: z.enum(instantNames),
  /** Source letters of both ends, e.g. `AD`. Both arms of a pair must agree on them. */
  sources: z.string(),
});
export type Duration = z.infer<typeof duration>;

/** Phases that tile a trial from submit to ready, and the totals that are compared. */
export const phaseNames = [
  'schedule',
  'prepare',
  'pull',
  'create',
  'start',
  'startToFirstLog',
  'firstLogToReady',
] as const;
export type PhaseName = (typeof phaseNames)[number];
export const durationNames = [...phaseNames, 'startToReady', 'timeToReady', 'podToReady'] as const;
export type DurationName = (typeof durationNames)[number];

/** Bytes and requests of one class. */
export const classTraffic = z.strictObject({
  class: trafficClass,
  prefetch: z.boolean(),
  requests: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
});

/** What one source says was moved between the mark `before` and another mark. */
export const sourceTraffic = z.strictObject({
  source: z.enum(['nic', 'nydusd', 'chunk-map', 'containerd', 'meter']),
  mark: z.enum(marks),
  bytes: z.number().int(),
  requests: z.number().int().optional(),
  prefetchBytes: z.number().int().optional(),
});

/** All byte accounting of a trial. */
export const traffic = z.strictObject({
  bySource: z.array(sourceTraffic),
  /** Per class, from the meter where there is one. */
  byClass: z.array(classTraffic),
  /** How far two independent sources disagree at the mark `end`: |a − b| ÷ b, with the names of both. */
  closure: z.strictObject({ ratio: z.number(), between: z.tuple([z.string(), z.string()]) }).optional(),
  /** Chunk bytes fetched ÷ bytes the application read. */
  amplification: z.number().optional(),
  /** Compressed bytes fetched at ready ÷ compressed bytes of the image. */
  fetchedShareAtReady: z.number().optional(),
  /** Cumulative body bytes over time since submit, at most 400 points, from the meter. */
  curve: z.array(z.tuple([z.number(), z.number(), z.number()])),
});
export type Traffic = z.infer<typeof traffic>;

/** One claim that was checked: what, whether it holds, and on what grounds. */
export const proof = z.strictObject({
  name: z.enum(['cold', 'layer-warm', 'warm', 'lazy', 'eager', 'pulled', 'ready']),
  verdict: z.enum(['proved', 'refuted', 'missing']),
  because: z.string(),
});
export type Proof = z.infer<typeof proof>;

const trialCommon = {
  schemaVersion: z.literal(1),
  id: z.string(),
  arm: z.string(),
  node: z.string(),
  block: z.number().int().nonnegative(),
  position: z.number().int().nonnegative(),
  image: z.string(),
  recordedAt: z.string(),
  timeline,
  traffic,
  proofs: z.array(proof),
  /** Oddities that do not invalidate: negative durations, fallbacks, gaps. */
  flags: z.array(z.string()),
};

/**
 * One line of `trials.jsonl`. Only a completed trial has durations: what failed is not timed.
 */
export const trial = z.discriminatedUnion('outcome', [
  z.strictObject({
    ...trialCommon,
    outcome: z.literal('completed'),
    durations: z.partialRecord(z.enum(durationNames), duration),
  }),
  z.strictObject({
    ...trialCommon,
    outcome: z.literal('failed'),
    reason: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  }),
  z.strictObject({ ...trialCommon, outcome: z.literal('timed-out'), afterMs: z.number() }),
  z.strictObject({ ...trialCommon, outcome: z.literal('invalid'), because: z.array(proof).min(1) }),
]);
export type Trial = z.infer<typeof trial>;
export type CompletedTrial = Extract<Trial, { outcome: 'completed' }>;
