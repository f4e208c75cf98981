import { BoxAndWiskers, BoxPlotController } from '@sgratzl/chartjs-chart-boxplot';
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Legend,
  LineController,
  LineElement,
  LinearScale,
  PointElement,
  ScatterController,
  Tooltip,
} from 'chart.js';
import annotation from 'chartjs-plugin-annotation';
import type { Theme } from './theme.ts';

// Only what is used, so that the bundle stays small.
Chart.register(
  BarController,
  BarElement,
  BoxAndWiskers,
  BoxPlotController,
  CategoryScale,
  Legend,
  LineController,
  LineElement,
  LinearScale,
  PointElement,
  ScatterController,
  Tooltip,
  annotation,
);

/** Sets what all charts share. A report is read, not watched: nothing moves. */
export function applyTheme(theme: Theme): void {
  Chart.defaults.animation = false;
  Chart.defaults.responsive = true;
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.color = theme.quiet;
  Chart.defaults.borderColor = theme.grid;
  Chart.defaults.font.family = theme.font;
  Chart.defaults.font.size = 13;
  const { legend, tooltip } = Chart.defaults.plugins;
  legend.labels.usePointStyle = true;
  legend.labels.boxHeight = 8;
  legend.labels.color = theme.ink;
  legend.align = 'start';
  tooltip.backgroundColor = theme.ink;
  tooltip.titleColor = theme.paper;
  tooltip.bodyColor = theme.paper;
  tooltip.footerColor = theme.paper;
  tooltip.padding = 10;
  tooltip.usePointStyle = true;
}

export { Chart };
