/** The kubelet's back-off for pulls and restarts: 10 s, doubling, at most 5 minutes. */
export const backOffMs = (failures: number): number =>
  Math.min(300_000, 10_000 * 2 ** Math.max(0, failures - 1));
