import { z } from 'zod';

/**
 * One step of a recorded program start. `atMs` counts from the start of the process on the recording machine and
 * is *computation included*: a replay waits until the gap to the previous step has passed, then does the step.
 */
export const traceStep = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('read'),
    atMs: z.number().nonnegative(),
    path: z.string(),
    offset: z.number().int().nonnegative(),
    length: z.number().int().positive(),
  }),
  /** Pages of a mapped file that the process had touched when it was ready (from /proc/PID/pagemap). */
  z.strictObject({
    kind: z.literal('map'),
    atMs: z.number().nonnegative(),
    path: z.string(),
    offset: z.number().int().nonnegative(),
    length: z.number().int().positive(),
  }),
  z.strictObject({ kind: z.literal('log'), atMs: z.number().nonnegative(), line: z.string() }),
]);
export type TraceStep = z.infer<typeof traceStep>;

/** First line of a trace file (JSON lines): where the trace comes from. */
export const traceHeader = z.strictObject({
  kind: z.literal('lazybench-trace'),
  version: z.literal(1),
  command: z.array(z.string()),
  recordedWith: z.string(),
  recordedOn: z.string(),
  note: z.string().optional(),
});
export type TraceHeader = z.infer<typeof traceHeader>;

/** A recorded access trace: what a program read of its root file system until (and a little after) it was ready. */
export interface AccessTrace {
  readonly header: TraceHeader;
  readonly steps: readonly TraceStep[];
}
