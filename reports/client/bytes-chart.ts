import type { ChartConfiguration } from 'chart.js';
import type { ChartData } from '../../src/report/html/chart-data.ts';
import { formatDurationMs } from '../../src/units/duration.ts';
import { formatBytes } from '../../src/units/size.ts';
import { pointStyle, type Theme } from './theme.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Cumulative bytes over time, one stepped line per arm, with marks at first log and ready. */
export function bytesChart({ curves, arms }: ChartData, theme: Theme): ChartConfiguration<'line', Point[]> {
  const colourOf = (arm: string): number => arms.find((one) => one.name === arm)?.colour ?? 0;
  const marks = curves.flatMap((curve) => {
    if (curve.readyMs === undefined || curve.bytesAtReady === undefined) return [];
    const colour = colourOf(curve.arm);
    return {
      label: `${curve.arm} ready`,
      data: [{ x: curve.readyMs, y: curve.bytesAtReady }],
      showLine: false,
      pointStyle: pointStyle(colour),
      pointRadius: 8,
      pointHoverRadius: 10,
      borderColor: theme.ink,
      backgroundColor: theme.arm(colour),
      order: 0,
    };
  });
  return {
    type: 'line',
    data: {
      datasets: [
        ...curves.map((curve) => ({
          label: curve.arm,
          data: [{ x: 0, y: 0 }, ...curve.points.map(([x, y]) => ({ x, y }))],
          stepped: true as const,
          borderColor: theme.arm(colourOf(curve.arm)),
          backgroundColor: theme.arm(colourOf(curve.arm)),
          borderWidth: 2.5,
          pointRadius: 0,
          pointHitRadius: 8,
          pointStyle: 'line' as const,
          order: 1,
        })),
        ...marks,
      ],
    },
    options: {
      interaction: { mode: 'nearest', intersect: false },
      scales: {
        x: {
          type: 'linear',
          min: 0,
          title: { display: true, text: 'Since the pod was submitted' },
          ticks: { callback: (value) => formatDurationMs(Number(value)), maxRotation: 0 },
        },
        y: { beginAtZero: true, ticks: { callback: (value) => formatBytes(Number(value)) } },
      },
      plugins: {
        legend: { labels: { filter: (item) => !item.text.endsWith(' ready') } },
        tooltip: {
          callbacks: {
            title: ([item]) => item?.dataset.label ?? '',
            label: (item) =>
              ` ${formatBytes(item.parsed.y ?? 0)} after ${formatDurationMs(item.parsed.x ?? 0)}`,
          },
        },
        annotation: {
          annotations: Object.fromEntries(
            curves.flatMap((curve, index) =>
              (
                [
                  ['ready', curve.readyMs],
                  ['first log', curve.firstLogMs],
                ] as const
              ).flatMap(([name, atMs]) =>
                atMs === undefined
                  ? []
                  : [
                      [
                        `${name}-${String(index)}`,
                        {
                          type: 'line' as const,
                          xMin: atMs,
                          xMax: atMs,
                          borderColor: theme.arm(colourOf(curve.arm)),
                          borderWidth: name === 'ready' ? 1.5 : 1,
                          borderDash: name === 'ready' ? [] : [2, 4],
                          drawTime: 'beforeDatasetsDraw' as const,
                        },
                      ] as const,
                    ],
              ),
            ),
          ),
        },
      },
    },
  };
}
