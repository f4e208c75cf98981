import type { Comparison, Effect } from '../decision/summary.ts';
import { formatDurationMs } from '../units/duration.ts';
import { formatBytes } from '../units/size.ts';

/** What stands where nothing was measured. */
export const notMeasured = '–';

/** A value with its unit, three significant digits; `–` for what was not measured. */
export function formatMetric(value: number | undefined, unit: Comparison['unit']): string {
  if (value === undefined) return notMeasured;
  switch (unit) {
    case 'ms':
      return formatDurationMs(value);
    case 'bytes':
      return formatBytes(value);
    case 'requests':
      return formatCount(value);
  }
}

/** A count with thin spaces between thousands: `12 480`. */
export function formatCount(count: number): string {
  const rounded = Number.isInteger(count) ? String(count) : count.toFixed(1);
  return rounded.replace(/\B(?=(\d{3})+(?!\d))/gu, '\u202f');
}

/** A ratio, other arm ÷ baseline: `0.412×`. */
export function formatRatio(ratio: number): string {
  return `${ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(3)}×`;
}

/** An interval without its level: `[0.388, 0.447]`. */
export function formatInterval(effect: Effect): string {
  if (effect.interval === undefined) return 'no interval';
  const bound = (value: number): string => formatRatio(value).slice(0, -1);
  return `[${bound(effect.interval.low)}, ${bound(effect.interval.high)}]`;
}

/** `95 %`. */
export function formatConfidence(confidence: number): string {
  return `${String(Number((confidence * 100).toPrecision(3)))} %`;
}

/** A share of one, for people: `15.2 %`. */
export function formatShare(share: number): string {
  return `${String(Number((share * 100).toPrecision(3)))} %`;
}

/** `2026-11-23 23:41:07 UTC` from an ISO instant; the text itself when it is none. */
export function formatInstant(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/u.test(iso) && iso.endsWith('Z')
    ? `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`
    : iso;
}

/** `1 pair`, `6 pairs`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** At most this many characters of one message are shown; the JSON lines keep all. */
const longestText = 1200;

/** A text cut to what a person reads, with how much is left out. */
export function clip(text: string, longest = longestText): string {
  return text.length <= longest
    ? text
    : `${text.slice(0, longest).replace(/[\ud800-\udbff]$/u, '')} … (${formatCount(text.length - longest)} more characters)`;
}
