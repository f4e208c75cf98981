import { z } from 'zod';
import type { Summary } from '../decision/summary.ts';
import type { Trial } from '../evidence/trial.ts';
import type { RunRecord } from '../results/run-record.ts';

/** One arm as the report names and paints it. */
export interface ArmModel {
  readonly name: string;
  readonly role: 'baseline' | 'other';
  /** Index into the palette; the baseline is always 0. */
  readonly colour: number;
  readonly completed: number;
  /** `12 completed, 1 failed`. */
  readonly countsText: string;
}

const scenarioBaseline = z.looseObject({ baseline: z.string() });

/** Arms of the run: the baseline first, the others in the order in which run.json and the trials name them. */
export function armModels(run: RunRecord, trials: readonly Trial[], summary: Summary): readonly ArmModel[] {
  const named = [
    ...run.images.map((image) => image.arm),
    ...summary.counts.map((count) => count.arm),
    ...trials.map((trial) => trial.arm),
  ];
  const parsed = scenarioBaseline.safeParse(run.scenario);
  const baseline = parsed.success ? parsed.data.baseline : (summary.comparisons[0]?.baseline ?? named[0]);
  const names = [...new Set(baseline === undefined ? named : [baseline, ...named])];
  return names.map((name, colour) => {
    const counts = summary.counts.find((count) => count.arm === name);
    return {
      name,
      role: name === baseline ? 'baseline' : 'other',
      colour,
      completed: counts?.completed ?? 0,
      countsText: counts === undefined ? 'no trial' : countsText(counts),
    };
  });
}

function countsText(counts: Summary['counts'][number]): string {
  const parts = [`${String(counts.completed)} completed`];
  if (counts.failed > 0) parts.push(`${String(counts.failed)} failed`);
  if (counts.timedOut > 0) parts.push(`${String(counts.timedOut)} timed out`);
  if (counts.invalid > 0) parts.push(`${String(counts.invalid)} invalid`);
  return parts.join(', ');
}
