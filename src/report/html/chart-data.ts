import type { ReportModel } from '../model.ts';

/** What the report's script reads from its data block: the part of the model that is drawn. */
export type ChartData = Readonly<
  Pick<ReportModel, 'arms' | 'phases' | 'pairSets' | 'distributions' | 'curves' | 'runId'>
>;

/** Id of the data block with {@link ChartData}. */
export const chartDataId = 'chart-data';
/** Id of the data block with the trials as JSON lines. */
export const trialsDataId = 'trials-jsonl';

/** Picks what is drawn. */
export function chartData(model: ReportModel): ChartData {
  const { arms, phases, pairSets, distributions, curves, runId } = model;
  return { arms, phases, pairSets, distributions, curves, runId };
}
