import type { ChartConfiguration } from 'chart.js';
import type { ChartData } from '../../src/report/html/chart-data.ts';
import { formatDurationMs } from '../../src/units/duration.ts';
import type { Theme } from './theme.ts';

/** Stacked bars of the median phases, one bar per arm. */
export function phasesChart(
  { phases }: ChartData,
  theme: Theme,
): ChartConfiguration<'bar', (number | null)[]> {
  const columns = phases[0]?.values ?? [];
  return {
    type: 'bar',
    data: {
      labels: phases.map((row) => row.arm),
      datasets: columns.map(({ label }, index) => ({
        label,
        data: phases.map((row) => row.values[index]?.medianMs ?? null),
        backgroundColor: theme.phase(index),
        borderColor: theme.paper,
        borderWidth: { right: 1 },
        borderSkipped: false,
        pointStyle: 'rect',
        maxBarThickness: 46,
      })),
    },
    options: {
      indexAxis: 'y',
      interaction: { mode: 'y', intersect: false },
      scales: {
        x: {
          stacked: true,
          beginAtZero: true,
          ticks: { callback: (value) => formatDurationMs(Number(value)), maxRotation: 0 },
        },
        y: {
          stacked: true,
          grid: { display: false },
          ticks: { color: theme.ink, font: { size: 14, weight: 600 } },
        },
      },
      plugins: {
        tooltip: {
          callbacks: {
            label: (item) =>
              ` ${item.dataset.label ?? ''}: ${phases[item.dataIndex]?.values[item.datasetIndex]?.text ?? ''}`,
            footer: ([item]) =>
              item === undefined ? '' : `Time to ready: ${phases[item.dataIndex]?.totalText ?? ''} (median)`,
          },
        },
      },
    },
  };
}
