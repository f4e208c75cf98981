/** The two readings of time that lazybench uses; injected wherever time matters, so that tests own it. */
export interface Clock {
  /** Wall clock, nanoseconds since the Unix epoch: for instants that are compared with other clocks. */
  wallNs(): bigint;
  /** Monotonic clock, nanoseconds from an arbitrary start: for durations on one machine. */
  monotonicNs(): bigint;
  /** Waits `durationMs`; rejects with the signal's reason when it aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
