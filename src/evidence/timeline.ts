import {
  arrival,
  makeInstant,
  movedInstant,
  readKubeletEvent,
  wholeSecond,
  type EventReading,
} from './instants.ts';
import { podEvents, type KubeEvent } from './kube-event.ts';
import { parsePodStatus, type PodStatus } from './pod-status.ts';
import { parsePulledMessage, type PulledMessage } from './pulled-message.ts';
import type { RawEvidence } from './raw-evidence.ts';
import { sourceErrorNs } from './source-error.ts';
import { parseTimestampNs } from './timestamp.ts';
import { instantNames, type Instant, type Timeline } from './trial.ts';
import { trialClocks, type TrialClocks } from './trial-clocks.ts';

/** The instants of a trial, what relates their clocks, and what was odd about them. */
export interface TimelineReading {
  readonly timeline: Timeline;
  readonly flags: readonly string[];
  readonly clocks: TrialClocks;
  /** What the kubelet said about the pull; undefined without a `Pulled` event or with an unknown text. */
  readonly pulledMessage: PulledMessage | undefined;
  /** The sign of readiness as it arrived at the client: one clock from end to end, but later than the truth. */
  readonly readyArrival: Instant | undefined;
}

/**
 * Puts the instants of a trial together from raw evidence, each from its best source (docs/metrics.md): event names
 * (A), message duration (B), scheduler's eventTime (C), log lines (D), arrivals (E), whole seconds (F, G), polled
 * HTTP (P). What was not seen is absent; a fallback is flagged; nothing is clamped.
 *
 *     submitted ─ scheduled ─ pulling ─ pulled ─ created ─ started ─ firstLog ─ ready
 *      client     scheduler   └────────────── node ───────────────────────────────┘
 */
export function buildTimeline(raw: RawEvidence): TimelineReading {
  const events = podEvents(raw.events, raw.pod.uid);
  const clocks = trialClocks(raw, events);
  const kubelet = (reason: string): EventReading => readKubeletEvent(events, reason, raw.watchGaps);
  const last = lastStatus(raw);
  const pulledRead = kubelet('Pulled');
  const pulledMessage =
    pulledRead.event === undefined ? undefined : parsePulledMessage(pulledRead.event.message);
  const pullingRead = kubelet('Pulling');
  const pull = completePull(pullingRead, pulledRead, pulledMessage);
  const scheduled = readScheduled(raw, events, last);
  const created = kubelet('Created');
  const startedRead = kubelet('Started');
  const started = startedRead.instant ?? wholeSecond('node', 'G', last?.startedAt);
  const [firstLine] = raw.lines;
  const ready = readReady(raw, last);
  const found: Record<keyof Timeline, Instant | undefined> = {
    submitted: raw.submit && makeInstant('client', 'E', BigInt(raw.submit.sentNs), 0n),
    scheduled: scheduled.instant,
    pulling: pull.pulling,
    pulled: pull.pulled,
    created: created.instant,
    started,
    firstLog: firstLine && makeInstant('node', 'D', BigInt(firstLine.atNs), sourceErrorNs.logLine),
    ready,
    firstResponse: raw.ready?.kind === 'http' ? ready : undefined,
    deleted:
      raw.deletedNs === undefined
        ? undefined
        : makeInstant('client', 'E', BigInt(raw.deletedNs), sourceErrorNs.arrival),
  };
  const timeline: Timeline = {};
  for (const name of instantNames) {
    const instant = found[name];
    if (instant !== undefined) timeline[name] = instant;
  }
  const flags = [
    ...clocks.flags,
    ...[scheduled.flag, pullingRead.flag, pulledRead.flag, created.flag, startedRead.flag],
    ...pull.flags,
    ...(raw.watchGaps.length > 0 ? [`watch: ${String(raw.watchGaps.length)} gaps while watching`] : []),
    ...(startedRead.event === undefined && started !== undefined
      ? ['Started: source G instead of A: no such event was seen']
      : []),
  ].filter((flag) => flag !== undefined);
  return { timeline, flags, clocks, pulledMessage, readyArrival: readyArrival(raw) };
}

const lastStatus = (raw: RawEvidence): PodStatus | undefined => parsePodStatus(raw.statuses.at(-1)?.status);

const readScheduled = (
  raw: RawEvidence,
  events: readonly KubeEvent[],
  last: PodStatus | undefined,
): { instant: Instant | undefined; flag: string | undefined } => {
  const event = events.find(({ reason }) => reason === 'Scheduled');
  const atNs = event?.eventTime === undefined ? undefined : parseTimestampNs(event.eventTime);
  if (atNs !== undefined)
    return { instant: makeInstant('scheduler', 'C', atNs, sourceErrorNs.eventTime), flag: undefined };
  const bound = raw.statuses.find(({ nodeName }) => nodeName !== undefined && nodeName !== '');
  const condition = last?.conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'True');
  const instant =
    arrival(raw.watchGaps, bound && BigInt(bound.arrivedNs), sourceErrorNs.arrival) ??
    wholeSecond('scheduler', 'F', condition?.lastTransitionTime);
  if (instant === undefined) return { instant, flag: undefined };
  return { instant, flag: `Scheduled: source ${instant.source} instead of C: no event with an eventTime` };
};

const readReady = (raw: RawEvidence, last: PodStatus | undefined): Instant | undefined => {
  const { ready } = raw;
  switch (ready?.kind) {
    case undefined:
      return undefined;
    case 'log': {
      const line = raw.lines[ready.line];
      return line && makeInstant('node', 'D', BigInt(line.atNs), sourceErrorNs.logLine);
    }
    case 'http': {
      // Ready since the last poll that failed, at most: the middle is right to half a period.
      const halfNs = BigInt(Math.round(ready.pollMs * 500_000));
      return makeInstant('client', 'P', BigInt(ready.atNs) - halfNs, halfNs);
    }
    case 'probe': {
      const condition = last?.conditions.find(({ type, status }) => type === 'Ready' && status === 'True');
      return (
        arrival(raw.watchGaps, BigInt(ready.arrivedNs), sourceErrorNs.relistedArrival) ??
        wholeSecond('node', 'F', condition?.lastTransitionTime)
      );
    }
  }
};

const readyArrival = (raw: RawEvidence): Instant | undefined => {
  if (raw.ready?.kind !== 'log') return undefined;
  const line = raw.lines[raw.ready.line];
  return line && makeInstant('client', 'E', BigInt(line.arrivedNs), sourceErrorNs.arrival);
};

/** Fills one end of the pull from the other and the kubelet's own duration (B), and holds all three together. */
const completePull = (
  pullingRead: EventReading,
  pulledRead: EventReading,
  message: PulledMessage | undefined,
): { pulling: Instant | undefined; pulled: Instant | undefined; flags: readonly string[] } => {
  const pulling = pullingRead.instant;
  const pulled = pulledRead.instant;
  const flags: string[] = [];
  if (message?.kind !== 'pulled') return { pulling, pulled, flags };
  const totalMs = message.waitingMs ?? message.pullMs;
  if (totalMs === undefined) return { pulling, pulled, flags };
  if (message.waitingMs !== undefined && message.pullMs !== undefined) {
    const queueMs = message.waitingMs - message.pullMs;
    if (queueMs > 50) flags.push(`pull: waited ${queueMs.toFixed(0)} ms in the kubelet's queue`);
  }
  const totalNs = BigInt(Math.round(totalMs * 1e6));
  const errorNs = sourceErrorNs.pulledMessage;
  if (pulling?.source === 'A' && pulled?.source === 'A') {
    const differenceMs = Number(BigInt(pulled.atNs) - BigInt(pulling.atNs)) / 1e6;
    if (Math.abs(differenceMs - totalMs) >= 20 + 0.01 * totalMs)
      flags.push(
        `pull: the kubelet says ${totalMs.toFixed(0)} ms, its events are ${differenceMs.toFixed(0)} ms apart`,
      );
  } else if (pulling?.source === 'A') {
    return { pulling, pulled: movedInstant(pulling, 'B', totalNs, errorNs), flags };
  } else if (pulled?.source === 'A') {
    if (pulling === undefined) flags.push('Pulling: source B instead of A: no such event was seen');
    return { pulling: movedInstant(pulled, 'B', -totalNs, errorNs), pulled, flags };
  }
  return { pulling, pulled, flags };
};
