import { sameSources } from '../evidence/durations.ts';
import { movedBytes } from '../evidence/moved-bytes.ts';
import type { CompletedTrial, Trial } from '../evidence/trial.ts';
import type { Comparison } from './summary.ts';

/** A metric that arms are compared on. */
export type ComparedMetric = Comparison['metric'];

/** One pair's values with how wrong each can be (same unit). */
export interface PairedValue {
  readonly block: number;
  readonly node: string;
  readonly baseline: number;
  readonly other: number;
  readonly baselineError: number;
  readonly otherError: number;
}

/** The pairs of one metric and how many blocks had both trials but no comparable values. */
export interface PairedValues {
  readonly pairs: readonly PairedValue[];
  /** Both trials completed, but at least one has no value for the metric. */
  readonly unmeasured: number;
  /** Both have a value, from different sources. */
  readonly unlike: number;
}

/**
 * Pairs a metric of two arms within blocks, in run order. Only completed trials pair, and only values that the same
 * sources measured.
 */
export function pairValues(
  trials: readonly Trial[],
  baselineArm: string,
  otherArm: string,
  metric: ComparedMetric,
): PairedValues {
  const completed = trials.filter((trial) => trial.outcome === 'completed');
  const baselines = new Map(
    completed.filter(({ arm }) => arm === baselineArm).map((trial) => [blockKey(trial), trial]),
  );
  const pairs: PairedValue[] = [];
  let unmeasured = 0;
  let unlike = 0;
  const others = completed.filter(({ arm }) => arm === otherArm).sort((a, b) => a.block - b.block);
  for (const trial of others) {
    const partner = baselines.get(blockKey(trial));
    if (partner === undefined) continue;
    const baseline = valueOf(partner, metric);
    const other = valueOf(trial, metric);
    if (baseline === undefined || other === undefined) unmeasured += 1;
    else if (!areAlike(partner, trial, metric)) unlike += 1;
    else
      pairs.push({
        block: trial.block,
        node: trial.node,
        baseline: baseline.value,
        other: other.value,
        baselineError: baseline.error,
        otherError: other.error,
      });
  }
  return { pairs, unmeasured, unlike };
}

const blockKey = ({ block, node }: CompletedTrial): string => `${String(block)} ${node}`;

const valueOf = (
  trial: CompletedTrial,
  metric: ComparedMetric,
): { readonly value: number; readonly error: number } | undefined => {
  const moved = trafficOf(trial, metric);
  if (moved !== 'none') {
    const value = metric === 'requestsAtEnd' ? moved?.requests : moved?.bytes;
    return value === undefined ? undefined : { value, error: 0 };
  }
  const duration = isTraffic(metric) ? undefined : trial.durations[metric];
  return duration && { value: duration.durationMs, error: duration.errorMs };
};

const areAlike = (a: CompletedTrial, b: CompletedTrial, metric: ComparedMetric): boolean => {
  const first = trafficOf(a, metric);
  const second = trafficOf(b, metric);
  if (first !== 'none' && second !== 'none') return first?.countedBy === second?.countedBy;
  if (isTraffic(metric)) return false;
  const one = a.durations[metric];
  const two = b.durations[metric];
  return one !== undefined && two !== undefined && sameSources(one, two);
};

type TrafficMetric = 'bytesAtReady' | 'bytesAtEnd' | 'requestsAtEnd';

const isTraffic = (metric: ComparedMetric): metric is TrafficMetric =>
  metric === 'bytesAtReady' || metric === 'bytesAtEnd' || metric === 'requestsAtEnd';

const trafficOf = (
  { traffic }: CompletedTrial,
  metric: ComparedMetric,
): ReturnType<typeof movedBytes> | 'none' =>
  isTraffic(metric) ? movedBytes(traffic, metric === 'bytesAtReady' ? 'ready' : 'end') : 'none';
