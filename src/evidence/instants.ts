import { eventInstant } from './event-instant.ts';
import type { KubeEvent } from './kube-event.ts';
import type { RawEvidence } from './raw-evidence.ts';
import { sourceErrorNs } from './source-error.ts';
import { parseTimestampNs } from './timestamp.ts';
import type { Instant, SourceLetter } from './trial.ts';

/** Makes an instant; nanoseconds go to text because JSON has no bigint. */
export const makeInstant = (
  clock: Instant['clock'],
  source: SourceLetter,
  atNs: bigint,
  errorNs: bigint,
): Instant => ({ atNs: String(atNs), clock, source, errorNs: String(errorNs) });

/** The same clock, moved by `byNs`, from another source and with more error. */
export const movedInstant = (from: Instant, source: SourceLetter, byNs: bigint, errorNs: bigint): Instant =>
  makeInstant(from.clock, source, BigInt(from.atNs) + byNs, BigInt(from.errorNs) + errorNs);

/** A field of whole seconds: the truth lies in [s, s + 1), so the middle is right to half a second. */
export function wholeSecond(
  clock: Instant['clock'],
  source: 'F' | 'G' | 'H',
  text: string | undefined,
): Instant | undefined {
  const secondNs = text === undefined ? undefined : parseTimestampNs(text);
  if (secondNs === undefined) return undefined;
  return makeInstant(clock, source, secondNs + sourceErrorNs.wholeSecond, sourceErrorNs.wholeSecond);
}

/** An arrival on the client's clock; undefined inside a watch gap, where it proves nothing about when. */
export function arrival(
  gaps: RawEvidence['watchGaps'],
  arrivedNs: bigint | undefined,
  errorNs: bigint,
): Instant | undefined {
  if (arrivedNs === undefined) return undefined;
  const inGap = gaps.some(({ fromNs, toNs }) => BigInt(fromNs) <= arrivedNs && arrivedNs <= BigInt(toNs));
  return inGap ? undefined : makeInstant('client', 'E', arrivedNs, errorNs);
}

/** The best instant that events of one reason give, with a flag when it is not the exact one. */
export interface EventReading {
  readonly instant: Instant | undefined;
  readonly event: KubeEvent | undefined;
  readonly flag: string | undefined;
}

/**
 * Instant of a kubelet event: its name's nanoseconds (A), else its arrival (E), else its firstTimestamp in whole
 * seconds (F). Of several observations of a reason the first is taken: later ones are repetitions.
 */
export function readKubeletEvent(
  events: readonly KubeEvent[],
  reason: string,
  gaps: RawEvidence['watchGaps'],
): EventReading {
  let because: string | undefined;
  const candidates = events.filter((event) => event.reason === reason);
  for (const event of candidates) {
    const found = eventInstant(event);
    if (found.kind === 'exact')
      return {
        instant: makeInstant('node', 'A', found.atNs, sourceErrorNs.eventName),
        event,
        flag: undefined,
      };
    because ??= found.because;
  }
  const event = candidates[0];
  if (event === undefined) return { instant: undefined, event, flag: undefined };
  const instant =
    arrival(gaps, event.arrivedNs, sourceErrorNs.arrival) ?? wholeSecond('node', 'F', event.firstTimestamp);
  const instead = instant === undefined ? 'no instant' : `source ${instant.source} instead of A`;
  return { instant, event, flag: `${reason}: ${instead}: ${because ?? 'unknown'}` };
}
