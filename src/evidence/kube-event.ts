import { z } from 'zod';
import type { ObservedEvent } from './raw-evidence.ts';

/** A core/v1 Event, cut down to what judging needs; the API leaves out or nulls what it has no value for. */
const eventShape = z.looseObject({
  metadata: z.looseObject({ name: z.string().default('') }).default({ name: '' }),
  involvedObject: z.looseObject({ uid: z.string().nullish() }).nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  type: z.string().nullish(),
  count: z.number().nullish(),
  firstTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
});

/** One observation of an event, parsed. Texts that the API left out are empty. */
export interface KubeEvent {
  readonly name: string;
  readonly uid: string | undefined;
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  /** How often the event stands for; undefined for events.k8s.io events, which stand for one. */
  readonly count: number | undefined;
  readonly firstTimestamp: string | undefined;
  readonly eventTime: string | undefined;
  readonly arrivedNs: bigint | undefined;
}

/** Parses one observed event; undefined when it is no Event at all. */
export function parseEvent(observed: ObservedEvent): KubeEvent | undefined {
  const { success, data } = eventShape.safeParse(observed.event);
  if (!success) return undefined;
  return {
    name: data.metadata.name,
    uid: data.involvedObject?.uid ?? undefined,
    reason: data.reason ?? '',
    message: data.message ?? '',
    type: data.type ?? '',
    count: data.count ?? undefined,
    firstTimestamp: data.firstTimestamp ?? undefined,
    eventTime: data.eventTime ?? undefined,
    arrivedNs: observed.arrivedNs === undefined ? undefined : BigInt(observed.arrivedNs),
  };
}

/** The events of one pod in the order observed; an event of another incarnation of the name (other uid) is left out. */
export function podEvents(
  observed: readonly ObservedEvent[],
  podUid: string | undefined,
): readonly KubeEvent[] {
  return observed
    .map(parseEvent)
    .filter((event) => event !== undefined)
    .filter((event) => podUid === undefined || event.uid === undefined || event.uid === podUid);
}
