import { formatDurationMs } from '../../units/duration.ts';
import type { PhaseRow } from '../phases.ts';
import { html, type Markup } from './markup.ts';
import { linearScale, px } from './scale.ts';
import { drawing, plot, xAxis } from './svg-frame.ts';

const rowHeight = 64;
const barHeight = 30;

/** Stacked bars of the median phases, one bar per arm on one axis. */
export function phasesDrawing(rows: readonly PhaseRow[]): Markup {
  const sums = rows.map((row) =>
    row.values.reduce((sum, { medianMs }) => sum + Math.max(0, medianMs ?? 0), 0),
  );
  const scale = linearScale([...sums, ...rows.map((row) => row.totalMs ?? 0)], [24, plot.right - 8]);
  const bottom = rows.length * rowHeight + 8;
  return drawing(bottom + 28, [
    xAxis(scale, formatDurationMs, [8, bottom]),
    rows.map((row, index) => {
      const top = index * rowHeight + 28;
      let startMs = 0;
      return [
        html`<text class="label" x="24" y="${top - 7}">${row.arm}: ready after ${row.totalText}</text>`,
        row.values.map(({ medianMs, text }, phase) => {
          if (medianMs === undefined || medianMs <= 0) return undefined;
          const x = scale.at(startMs);
          startMs += medianMs;
          const width = scale.at(startMs) - x;
          return [
            html`<rect
              class="fill-phase-${phase}"
              x="${px(x)}"
              y="${top}"
              width="${px(Math.max(width, 0.8))}"
              height="${barHeight}"
            />`,
            width > 56
              ? html`<text class="on-phase-${phase} middle" x="${px(x + width / 2)}" y="${top + 20}"
                  >${text}</text
                >`
              : undefined,
          ];
        }),
      ];
    }),
  ]);
}
