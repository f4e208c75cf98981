import type { Comparison } from '../decision/summary.ts';
import type { PhaseName, Proof, SourceLetter } from '../evidence/trial.ts';
import type { TrafficClass } from '../evidence/raw-evidence.ts';

/** How a phase is called in every output, and what lies between its two instants. */
export const phaseWords: Readonly<Record<PhaseName, { readonly label: string; readonly meaning: string }>> = {
  schedule: { label: 'Schedule', meaning: 'create request sent → pod bound to a node' },
  prepare: { label: 'Prepare', meaning: 'pod bound → image pull begins' },
  pull: { label: 'Pull', meaning: 'image pull begins → image usable' },
  create: { label: 'Create', meaning: 'image usable → container created' },
  start: { label: 'Start', meaning: 'container created → process started' },
  startToFirstLog: { label: 'To first log', meaning: 'process started → first line of log' },
  firstLogToReady: { label: 'To ready', meaning: 'first line of log → the workload says it is ready' },
};

/** How a compared quantity is called in every output. */
export const metricWords: Readonly<Record<Comparison['metric'], string>> = {
  schedule: 'Schedule',
  prepare: 'Prepare',
  pull: 'Pull',
  create: 'Create',
  start: 'Start',
  startToFirstLog: 'Start to first log',
  firstLogToReady: 'First log to ready',
  startToReady: 'Start to ready',
  timeToReady: 'Time to ready',
  podToReady: 'Pod bound to ready',
  bytesAtReady: 'Bytes moved at ready',
  bytesAtEnd: 'Bytes moved at end',
  requestsAtEnd: 'Requests at end',
};

/** Where an instant's timestamp comes from (docs/metrics.md). */
export const sourceWords: Readonly<Record<SourceLetter, string>> = {
  A: 'kubelet event name, nanoseconds, node clock',
  B: 'duration in the Pulled message, milliseconds, monotonic',
  C: 'scheduler event time, microseconds',
  D: 'container log timestamp, nanoseconds, node clock',
  E: 'arrival of a watch event, client clock',
  F: 'pod condition, whole seconds',
  G: 'container status startedAt, whole seconds',
  H: 'pod creationTimestamp, whole seconds',
  K: 'container runtime (CRI), nanoseconds, node clock',
  P: 'poll from the client, client clock',
};

/** What each proof claims. */
export const proofWords: Readonly<Record<Proof['name'], string>> = {
  cold: 'Cold: nothing of the image was on the node before',
  'layer-warm': 'Layer-warm: the layers were on the node, the snapshot was not',
  warm: 'Warm: the image was on the node before',
  lazy: 'Lazy: files were fetched as they were read',
  eager: 'Eager: every layer was unpacked before the start',
  pulled: 'Pulled: the image came over the network in this trial',
  ready: 'Ready: the workload itself said so',
};

/** Kinds of registry traffic in words. */
export const classWords: Readonly<Record<TrafficClass, string>> = {
  manifest: 'Manifest',
  config: 'Config',
  bootstrap: 'RAFS bootstrap',
  layer: 'Layer',
  chunk: 'Chunk',
  other: 'Other',
};

/** A verdict in the word that suits what is compared: times are faster or slower, counts are fewer or more. */
export function verdictWord(row: {
  readonly verdict: Comparison['verdict'];
  readonly metric: Comparison['metric'];
}): string {
  const counted =
    row.metric === 'bytesAtReady' || row.metric === 'bytesAtEnd' || row.metric === 'requestsAtEnd';
  if (row.verdict === 'faster') return counted ? 'fewer' : 'faster';
  if (row.verdict === 'slower') return counted ? 'more' : 'slower';
  return row.verdict;
}
