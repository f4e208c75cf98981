import type { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import { traceHeader, traceStep, type AccessTrace, type TraceStep } from './access-trace.ts';

const parseJson = (text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false } => {
  try {
    const value: unknown = JSON.parse(text);
    return { ok: true, value };
  } catch {
    return { ok: false };
  }
};

const refuse = (origin: string, lineNumber: number, what: string): HarnessError =>
  new HarnessError('TRACE_INVALID', `${origin}, line ${lineNumber}: ${what}`, {
    details: { origin, line: lineNumber },
  });

/**
 * Reads a trace file: JSON lines, the header first, then the steps in the order of their times.
 *
 * @param origin - What error messages call the text; a file name.
 * @throws HarnessError TRACE_INVALID with the line's number. A last line that was cut off (no line end, no JSON) is
 *   named as such: the recorder or a copy was interrupted.
 */
export function parseTrace(text: string, origin = 'trace'): AccessTrace {
  const lines = text.split('\n');
  const isCutOff = lines.at(-1) !== '';
  if (!isCutOff) lines.pop();

  const readLine = <T>(line: string, index: number, schema: z.ZodType<T>, what: string): T => {
    const json = parseJson(line);
    if (!json.ok) {
      const torn = isCutOff && index === lines.length - 1;
      throw refuse(
        origin,
        index + 1,
        torn ? 'the file was cut off in this last line; record or copy it again' : 'not JSON',
      );
    }
    const parsed = schema.safeParse(json.value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const key = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`;
    throw refuse(origin, index + 1, `${what}${key}: ${issue?.message ?? 'invalid'}`);
  };

  const [first, ...rest] = lines;
  if (first === undefined) throw refuse(origin, 1, 'the file is empty; a trace starts with its header');
  const header = readLine(first, 0, traceHeader, 'not the header of a lazybench trace');
  let previousMs = 0;
  const steps = rest.map((line, index): TraceStep => {
    const step = readLine(line, index + 1, traceStep, 'not a trace step');
    if (step.atMs < previousMs)
      throw refuse(
        origin,
        index + 2,
        `atMs ${step.atMs} is earlier than the step before (${previousMs}): steps are in order of time`,
      );
    previousMs = step.atMs;
    return step;
  });
  return { header, steps };
}

/** Writes a trace as JSON lines; {@link parseTrace} reads it back equal. */
export function formatTrace(trace: AccessTrace): string {
  return [trace.header, ...trace.steps].map((line) => `${JSON.stringify(line)}\n`).join('');
}
