import type { KubeEvent } from './kube-event.ts';
import { parseTimestampNs } from './timestamp.ts';

/** Nanoseconds hidden in an event's name, or why they cannot be trusted. */
export type EventInstant =
  { readonly kind: 'exact'; readonly atNs: bigint } | { readonly kind: 'refused'; readonly because: string };

/**
 * Reads when an event was recorded from its name. client-go's legacy recorder, which kubelets use, names events
 * `<pod>.<hex unix nanoseconds>` from the same instant that `firstTimestamp` shows in whole seconds
 * (tools/record/util/util.go, GenerateEventName). Refused: a bare uuid (since client-go 0.33 for names that are no DNS
 * subdomain), a name that contradicts `firstTimestamp`, an event that stands for several, and an aggregate.
 */
export function eventInstant(event: KubeEvent): EventInstant {
  // Pod names may hold dots: only what follows the last one counts.
  const hex = /\.([0-9a-f]{16})$/u.exec(event.name)?.[1];
  if (hex === undefined) return refused(`the event's name (${event.name}) holds no nanoseconds`);
  if (event.message.startsWith('(combined from similar events)'))
    return refused('the event stands for several similar ones');
  if (event.count !== undefined && event.count !== 1)
    return refused(`the event stands for ${String(event.count)} occurrences`);
  // About 1.8e18 today, beyond what a double holds exactly.
  const atNs = BigInt(`0x${hex}`);
  const secondNs = event.firstTimestamp === undefined ? undefined : parseTimestampNs(event.firstTimestamp);
  if (secondNs === undefined) return refused('the event has no firstTimestamp to check its name against');
  if (atNs / 1_000_000_000n !== secondNs / 1_000_000_000n)
    return refused(`the event's name contradicts its firstTimestamp (${event.firstTimestamp ?? ''})`);
  return { kind: 'exact', atNs };
}

const refused = (because: string): EventInstant => ({ kind: 'refused', because });
