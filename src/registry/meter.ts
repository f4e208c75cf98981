import type { MeterRequest } from '../evidence/raw-evidence.ts';

/** A counting point between nodes and registry. Sees every request, keeps every one, and never samples. */
export interface Meter {
  /** Requests that *finished* since `cursor` (0 = from the start), oldest first, and the cursor to go on from. */
  since(cursor: number): Promise<{ readonly requests: readonly MeterRequest[]; readonly cursor: number }>;
}
