import type { ChartConfiguration } from 'chart.js';
import type { ChartData } from '../../src/report/html/chart-data.ts';
import type { PairSet } from '../../src/report/pair-rows.ts';
import { formatRatio } from '../../src/report/figures.ts';
import { formatDurationMs } from '../../src/units/duration.ts';
import { pointStyle, type Theme } from './theme.ts';

type MixedChart = ChartConfiguration<'bar' | 'line', (number | [number, number])[]>;

const title = (set: PairSet, index: number): string => {
  const row = set.rows[index];
  return row === undefined
    ? ''
    : `Pair ${String(row.ordinal)}, block ${String(row.block + 1)} on ${row.node}${row.first === undefined ? '' : `: ${row.first} ran first`}`;
};

/** Each pair as a line from the baseline's time to the other arm's, in run order. */
export function pairsChart(set: PairSet, { arms }: ChartData, theme: Theme): MixedChart {
  const series = (
    arm: string,
    values: number[],
    texts: readonly string[],
  ): MixedChart['data']['datasets'][number] => {
    const colour = arms.find((one) => one.name === arm)?.colour ?? 0;
    return {
      type: 'line',
      label: arm,
      data: values,
      showLine: false,
      pointStyle: pointStyle(colour),
      pointRadius: values.length > 200 ? 2 : 6,
      pointHoverRadius: 8,
      pointBackgroundColor: theme.arm(colour),
      pointBorderColor: theme.paper,
      backgroundColor: theme.arm(colour),
      order: 0,
      tooltip: { callbacks: { label: (item) => ` ${arm}: ${texts[item.dataIndex] ?? ''}` } },
    };
  };
  return {
    type: 'bar',
    data: {
      labels: set.rows.map((row) => String(row.ordinal)),
      datasets: [
        series(
          set.baseline,
          set.rows.map((row) => row.baselineMs),
          set.rows.map((row) => row.baselineText),
        ),
        series(
          set.arm,
          set.rows.map((row) => row.armMs),
          set.rows.map((row) => row.armText),
        ),
        {
          type: 'bar',
          label: 'Pair',
          data: set.rows.map((row) => [row.baselineMs, row.armMs]),
          backgroundColor: theme.quiet,
          barThickness: set.rows.length > 200 ? 1 : 2,
          order: 1,
        },
      ],
    },
    options: {
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { grid: { display: false }, title: { display: true, text: 'Pair, in run order' } },
        y: { beginAtZero: true, ticks: { callback: (value) => formatDurationMs(Number(value)) } },
      },
      plugins: {
        legend: { labels: { filter: (item) => item.text !== 'Pair' } },
        tooltip: {
          filter: (item) => item.dataset.label !== 'Pair',
          callbacks: {
            title: ([item]) => (item === undefined ? '' : title(set, item.dataIndex)),
            footer: ([item]) =>
              item === undefined ? '' : `Ratio: ${set.rows[item.dataIndex]?.ratioText ?? ''}`,
          },
        },
      },
    },
  };
}

/** The ratio of each pair, before the estimate and its interval. */
export function ratiosChart(
  set: PairSet,
  { arms }: ChartData,
  theme: Theme,
): ChartConfiguration<'line', number[]> {
  const colour = arms.find((one) => one.name === set.arm)?.colour ?? 0;
  const { effect } = set;
  return {
    type: 'line',
    data: {
      labels: set.rows.map((row) => String(row.ordinal)),
      datasets: [
        {
          label: `${set.arm} ÷ ${set.baseline}`,
          data: set.rows.map((row) => row.ratio),
          showLine: false,
          pointStyle: pointStyle(colour),
          pointRadius: set.rows.length > 200 ? 2 : 6,
          pointHoverRadius: 8,
          pointBackgroundColor: theme.arm(colour),
          pointBorderColor: theme.paper,
          backgroundColor: theme.arm(colour),
        },
      ],
    },
    options: {
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { grid: { display: false }, offset: true, title: { display: true, text: 'Pair, in run order' } },
        y: {
          beginAtZero: true,
          suggestedMax: 1.1,
          ticks: { callback: (value) => `${String(Number(Number(value).toPrecision(3)))}×` },
        },
      },
      plugins: {
        tooltip: {
          callbacks: {
            title: ([item]) => (item === undefined ? '' : title(set, item.dataIndex)),
            label: (item) => ` Ratio: ${set.rows[item.dataIndex]?.ratioText ?? ''}`,
          },
        },
        annotation: {
          annotations: {
            parity: {
              type: 'line',
              yMin: 1,
              yMax: 1,
              borderColor: theme.quiet,
              borderDash: [5, 5],
              borderWidth: 1.5,
              drawTime: 'beforeDatasetsDraw',
            },
            ...(effect?.interval === undefined
              ? {}
              : {
                  band: {
                    type: 'box',
                    yMin: effect.interval.low,
                    yMax: effect.interval.high,
                    backgroundColor: theme.band,
                    borderWidth: 0,
                    drawTime: 'beforeDatasetsDraw',
                  },
                }),
            ...(effect === undefined
              ? {}
              : {
                  estimate: {
                    type: 'line',
                    yMin: effect.ratio,
                    yMax: effect.ratio,
                    borderColor: theme.ink,
                    borderWidth: 1.5,
                    drawTime: 'beforeDatasetsDraw',
                    label: {
                      display: true,
                      content: `estimate ${formatRatio(effect.ratio)}`,
                      position: 'end',
                      yAdjust: -14,
                      backgroundColor: 'transparent',
                      color: theme.ink,
                      padding: 2,
                      font: { size: 12, weight: 'normal' },
                    },
                  },
                }),
          },
        },
      },
    },
  };
}
