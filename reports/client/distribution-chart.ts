import type { ChartConfiguration } from 'chart.js';
import type { ChartData } from '../../src/report/html/chart-data.ts';
import type { Distribution } from '../../src/report/distributions.ts';
import { formatDurationMs } from '../../src/units/duration.ts';
import { pointStyle, type Theme } from './theme.ts';

type BoxData = Pick<Distribution['box'], 'min' | 'q1' | 'median' | 'q3' | 'max'> & {
  whiskerMin: number;
  whiskerMax: number;
  items: number[];
  outliers: number[];
};

/** Box with all points of each arm; the quartiles are the summary's, nothing is computed here. */
export function distributionChart(
  { distributions, arms }: ChartData,
  theme: Theme,
): ChartConfiguration<'boxplot', (BoxData | null)[]> {
  return {
    type: 'boxplot',
    data: {
      labels: distributions.map((row) => row.arm),
      datasets: distributions.map((row, index) => {
        const colour = arms.find((arm) => arm.name === row.arm)?.colour ?? 0;
        const { min, q1, median, q3, max } = row.box;
        const items = row.samples.map((sample) => sample.valueMs);
        const box = { min, q1, median, q3, max, whiskerMin: min, whiskerMax: max, items, outliers: [] };
        return {
          label: row.arm,
          data: distributions.map((_row, place) => (place === index ? box : null)),
          borderColor: theme.ink,
          backgroundColor: `${theme.arm(colour)}55`,
          borderWidth: 1.5,
          medianColor: theme.ink,
          itemRadius: items.length > 200 ? 2 : 5,
          itemStyle: pointStyle(colour),
          itemBackgroundColor: theme.arm(colour),
          itemBorderColor: theme.paper,
          itemBorderWidth: 1,
          maxBarThickness: 54,
        };
      }),
    },
    options: {
      indexAxis: 'y',
      scales: {
        x: {
          beginAtZero: true,
          ticks: { callback: (value) => formatDurationMs(Number(value)), maxRotation: 0 },
        },
        y: {
          grid: { display: false },
          stacked: true,
          ticks: { color: theme.ink, font: { size: 14, weight: 600 } },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            label: (item) => {
              const row = distributions[item.datasetIndex];
              return row === undefined
                ? ''
                : ` n = ${String(row.box.n)}, min ${row.boxText.min}, quartiles ${row.boxText.q1} – ${row.boxText.median} – ${row.boxText.q3}, max ${row.boxText.max}`;
            },
          },
        },
      },
    },
  };
}
