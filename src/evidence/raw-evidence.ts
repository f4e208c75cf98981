import { z } from 'zod';
import { counterSources, evictReply, imageReply, instantNs, podReply } from '../agent/protocol.ts';

/** What kind of thing a registry request asked for. */
export const trafficClasses = ['manifest', 'config', 'bootstrap', 'layer', 'chunk', 'other'] as const;
export const trafficClass = z.enum(trafficClasses);
export type TrafficClass = z.infer<typeof trafficClass>;

/** One request as a counting registry or proxy saw it. */
export const meterRequest = z.strictObject({
  atNs: instantNs,
  class: trafficClass,
  /** `prefetch` where the client says so; a request is on demand unless it is known to be prefetch. */
  prefetch: z.boolean(),
  method: z.string(),
  path: z.string(),
  status: z.number().int(),
  /** First and last byte asked for, when the request had a Range. */
  range: z.tuple([z.number().int(), z.number().int()]).optional(),
  /** Body bytes really written to the socket. */
  bodyBytes: z.number().int().nonnegative(),
  durationMs: z.number().nonnegative(),
});
export type MeterRequest = z.infer<typeof meterRequest>;

/** The moments at which counters are read. */
export const marks = ['before', 'firstLog', 'ready', 'settled', 'end'] as const;
export const mark = z.enum(marks);
export type Mark = z.infer<typeof mark>;

/** One round trip to the agent's clock: client, node, client (nanoseconds on each one's own clock). */
export const clockSample = z.strictObject({ sentNs: instantNs, nodeNs: instantNs, receivedNs: instantNs });
export type ClockSample = z.infer<typeof clockSample>;

/** A core/v1 Event as the API sent it, and when it arrived on the client's clock (undefined: found by a later list). */
export const observedEvent = z.strictObject({ arrivedNs: instantNs.optional(), event: z.looseObject({}) });
export type ObservedEvent = z.infer<typeof observedEvent>;

/** A pod's status as a watch delivered it. */
export const observedStatus = z.strictObject({
  arrivedNs: instantNs,
  nodeName: z.string().optional(),
  status: z.looseObject({}),
});

/** A log line with the timestamp that the container runtime gave it (node clock). */
export const observedLine = z.strictObject({ atNs: instantNs, arrivedNs: instantNs, line: z.string() });

/** How a trial's gathering ended, before anything is judged. */
export const gatheringEnd = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({
    kind: z.literal('failed'),
    reason: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('timed-out'), afterMs: z.number() }),
  z.strictObject({ kind: z.literal('interrupted') }),
]);

/**
 * Everything that was gathered about one trial, unjudged: `evidence/<trial>.json`. Whatever is said about the
 * trial later is computed from this and can be computed again.
 */
export const rawEvidence = z.strictObject({
  schemaVersion: z.literal(1),
  trial: z.string(),
  arm: z.string(),
  node: z.string(),
  pod: z.strictObject({ name: z.string(), namespace: z.string(), uid: z.string().optional() }),
  /** Client clock just before the create request was sent, and just after its answer. */
  submit: z.strictObject({ sentNs: instantNs, acceptedNs: instantNs }).optional(),
  manifest: z.looseObject({}),
  events: z.array(observedEvent),
  statuses: z.array(observedStatus),
  lines: z.array(observedLine),
  /** Index into `lines` of the line that matched the ready pattern, or the instant an http or probe sign was seen. */
  ready: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('log'), line: z.number().int().nonnegative() }),
      z.strictObject({ kind: z.literal('http'), atNs: instantNs, pollMs: z.number() }),
      z.strictObject({ kind: z.literal('probe'), arrivedNs: instantNs }),
    ])
    .optional(),
  clock: z.strictObject({ before: z.array(clockSample), after: z.array(clockSample) }),
  /** Gaps in the watch (client clock): an arrival inside one proves nothing about when. */
  watchGaps: z.array(z.strictObject({ fromNs: instantNs, toNs: instantNs })),
  counters: z.array(
    z.strictObject({ mark, requestedNs: instantNs, atNs: instantNs, sources: counterSources }),
  ),
  /** Requests that a meter in front of (or in) the registry saw between `before` and `end`, when there is one. */
  meter: z.array(meterRequest).optional(),
  eviction: evictReply.optional(),
  /** The image as the node had it right before submit. */
  imagesBefore: z.array(imageReply),
  podOnNode: podReply.optional(),
  end: gatheringEnd,
  deletedNs: instantNs.optional(),
  /** Sentences about what could not be gathered ("no agent on this node"). */
  missing: z.array(z.string()),
});
export type RawEvidence = z.infer<typeof rawEvidence>;
