// The report's script: draws the charts over the still drawings, folds their tables, offers the raw lines.
import type { ChartConfiguration, ChartType, DefaultDataPoint } from 'chart.js';
import { chartDataId, trialsDataId, type ChartData } from '../../src/report/html/chart-data.ts';
import { bytesChart } from './bytes-chart.ts';
import { applyTheme, Chart } from './chart-js.ts';
import { distributionChart } from './distribution-chart.ts';
import { offerCopy, offerDownload } from './offers.ts';
import { pairsChart, ratiosChart } from './pairs-chart.ts';
import { phasesChart } from './phases-chart.ts';
import { readTheme, type Theme } from './theme.ts';
import './style.css';

interface Drawn {
  destroy(): void;
}

const blockText = (id: string): string => document.getElementById(id)?.textContent ?? '';

function place<Type extends ChartType, Data = DefaultDataPoint<Type>>(
  name: string,
  configuration: ChartConfiguration<Type, Data>,
  heightPx: number,
): Drawn[] {
  const frame = document.querySelector<HTMLElement>(`[data-chart="${name}"]`);
  const canvas = frame?.querySelector('canvas');
  if (frame === null || canvas === null || canvas === undefined) return [];
  frame.hidden = false;
  frame.style.height = `${String(heightPx)}px`;
  return [new Chart(canvas, configuration)];
}

function drawAll(data: ChartData, theme: Theme): Drawn[] {
  applyTheme(theme);
  return [
    ...(data.phases.length === 0
      ? []
      : place('phases', phasesChart(data, theme), 130 + 70 * data.phases.length)),
    ...data.pairSets.flatMap((set, index) => [
      ...place(`pairs-${String(index)}`, pairsChart(set, data, theme), 330),
      ...place(`ratios-${String(index)}`, ratiosChart(set, data, theme), 300),
    ]),
    ...(data.distributions.length === 0
      ? []
      : place('distribution', distributionChart(data, theme), 60 + 86 * data.distributions.length)),
    ...place('bytes', bytesChart(data, theme), 360),
  ];
}

function setTwins(open: boolean): void {
  for (const twin of document.querySelectorAll<HTMLDetailsElement>('details.twin')) twin.open = open;
}

// The block was written by the same version of lazybench that wrote this script: the one boundary that is trusted.
const data = JSON.parse(blockText(chartDataId)) as ChartData;
document.documentElement.classList.add('scripted');
setTwins(false);
let drawn = drawAll(data, readTheme());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of drawn) chart.destroy();
  drawn = drawAll(data, readTheme());
});
addEventListener('beforeprint', () => setTwins(true));
addEventListener('afterprint', () => setTwins(false));
offerDownload(blockText(trialsDataId), `trials-${data.runId}.jsonl`);
offerCopy();
