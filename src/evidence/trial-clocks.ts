import { causalOffset, nodeOffsetLine, type CausalWindow, type ClockOffset } from './clock-offset.ts';
import { eventInstant } from './event-instant.ts';
import type { KubeEvent } from './kube-event.ts';
import type { RawEvidence } from './raw-evidence.ts';
import { parseTimestampNs } from './timestamp.ts';
import type { Instant } from './trial.ts';

/** An instant on the client's clock; its error includes the bound of the clock offset. */
export interface ClientInstant {
  readonly atNs: bigint;
  readonly errorNs: bigint;
}

/** Relates the clocks of a trial to the client's. */
export interface TrialClocks {
  /** Offset of a clock around an instant of its own; undefined when nothing relates it to the client's. */
  offset(clock: Instant['clock'], atNs: bigint): ClockOffset | undefined;
  toClient(instant: Instant): ClientInstant | undefined;
  readonly flags: readonly string[];
}

/**
 * Node clock: from the agent's round trips, else from causality (nothing on the node happens before the submit, or
 * after its news arrived). Scheduler clock: from causality always, since nobody answers for it.
 */
export function trialClocks(raw: RawEvidence, events: readonly KubeEvent[]): TrialClocks {
  const line = nodeOffsetLine(raw.clock);
  const nodeNews = nodeWindows(raw, events);
  const guessed = line === undefined ? causalOffset(nodeNews) : undefined;
  const scheduler = causalOffset(schedulerWindows(raw, events));
  const offset = (clock: Instant['clock'], atNs: bigint): ClockOffset | undefined => {
    if (clock === 'client') return { offsetNs: 0n, boundNs: 0n };
    if (clock === 'scheduler') return scheduler;
    if (line === undefined) return guessed;
    // The line is over the client's clock: what the client showed is found to well within its drift.
    return line.at(atNs - line.at(atNs).offsetNs);
  };
  const flags: string[] = [];
  if (line?.stepNs !== undefined)
    flags.push(`clock: the node's clock was set by about ${toMs(line.stepNs)} during the trial`);
  if (line === undefined && guessed !== undefined)
    flags.push(
      `clock: no round trips to the node; its offset is known by causality to ± ${toMs(guessed.boundNs)}`,
    );
  if (line !== undefined && nodeNews.some((news) => arrivesEarly(news, offset('node', news.foreignNs))))
    flags.push('clock: news from the node arrived before it happened: its clock offset is wrong');
  return {
    offset,
    flags,
    toClient: (instant) => {
      const atNs = BigInt(instant.atNs);
      const found = offset(instant.clock, atNs);
      return found && { atNs: atNs - found.offsetNs, errorNs: BigInt(instant.errorNs) + found.boundNs };
    },
  };
}

const arrivesEarly = (news: CausalWindow, offset: ClockOffset | undefined): boolean =>
  offset !== undefined && news.foreignNs - offset.offsetNs - offset.boundNs > news.notAfterNs;

const nodeWindows = (raw: RawEvidence, events: readonly KubeEvent[]): readonly CausalWindow[] => {
  const notBeforeNs = raw.submit && BigInt(raw.submit.sentNs);
  if (notBeforeNs === undefined) return [];
  const fromEvents = events.flatMap((event) => {
    const found = eventInstant(event);
    return found.kind === 'exact' && event.arrivedNs !== undefined && kubeletReasons.has(event.reason)
      ? [{ foreignNs: found.atNs, notBeforeNs, notAfterNs: event.arrivedNs }]
      : [];
  });
  const fromLines = raw.lines.map((line) => ({
    foreignNs: BigInt(line.atNs),
    notBeforeNs,
    notAfterNs: BigInt(line.arrivedNs),
  }));
  return [...fromEvents, ...fromLines];
};

const kubeletReasons = new Set(['Pulling', 'Pulled', 'Created', 'Started', 'Failed', 'BackOff']);

const schedulerWindows = (raw: RawEvidence, events: readonly KubeEvent[]): readonly CausalWindow[] => {
  const event = events.find(({ reason, eventTime }) => reason === 'Scheduled' && eventTime !== undefined);
  const foreignNs = event?.eventTime === undefined ? undefined : parseTimestampNs(event.eventTime);
  if (raw.submit === undefined || foreignNs === undefined) return [];
  // The event is made after the binding, which status shows: only the event's own arrival, and what the kubelet did
  // later, come after it for sure.
  const notAfter = [event, ...events.filter(({ reason }) => kubeletReasons.has(reason))]
    .map((one) => one?.arrivedNs)
    .filter((arrivedNs) => arrivedNs !== undefined);
  return notAfter.map((notAfterNs) => ({
    foreignNs,
    notBeforeNs: BigInt(raw.submit?.sentNs ?? notAfterNs),
    notAfterNs,
  }));
};

const toMs = (durationNs: bigint): string => `${(Number(durationNs) / 1e6).toFixed(1)} ms`;
