/**
 * How far an instant can lie from the truth, per source (nanoseconds): the table of docs/metrics.md, "Sources".
 * These are bounds, not typical values.
 */
export const sourceErrorNs = {
  /** A: recorder.Event() is called just before (Pulling) or after (the others) the CRI call. */
  eventName: 1_000_000n,
  /** B: the kubelet cuts the duration to whole milliseconds; the other end is a event name. */
  pulledMessage: 2_000_000n,
  /** C: metav1.MicroTime. */
  eventTime: 1_000n,
  /** D: stamped when the runtime reads the line from the pipe. */
  logLine: 1_000_000n,
  /** E: API server, watch cache, network and event loop; late by up to this under load. */
  arrival: 250_000_000n,
  /** E of anything that the kubelet sees by its relist (period 1 s) before it tells. */
  relistedArrival: 1_250_000_000n,
  /** F, G: truncated to whole seconds; the instant is put in the middle of its second. */
  wholeSecond: 500_000_000n,
} as const;
