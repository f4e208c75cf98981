import { formatDurationMs } from '../../units/duration.ts';
import type { Distribution } from '../distributions.ts';
import { html, type Markup } from './markup.ts';
import { linearScale, px } from './scale.ts';
import { drawing, plot, xAxis } from './svg-frame.ts';

const rowHeight = 74;

/** Box (quartiles, whiskers to the extremes) and points of each arm on one axis. */
export function distributionDrawing(
  rows: readonly Distribution[],
  colourOf: (arm: string) => number,
): Markup {
  const scale = linearScale(
    rows.map((row) => row.box.max),
    [24, plot.right - 8],
  );
  const bottom = rows.length * rowHeight + 8;
  return drawing(bottom + 28, [
    xAxis(scale, formatDurationMs, [8, bottom]),
    rows.map((row, index) => {
      const middle = index * rowHeight + 46;
      const { min, q1, median, q3, max } = row.box;
      const colour = colourOf(row.arm) % 6;
      const at = (value: number): string => px(scale.at(value));
      return [
        html`<text class="label" x="24" y="${middle - 20}">${row.arm}: median ${row.boxText.median}</text>`,
        html`<line class="whisker" x1="${at(min)}" x2="${at(max)}" y1="${middle}" y2="${middle}" />`,
        html`<rect
          class="box box-arm-${colour}"
          x="${at(q1)}"
          width="${px(Math.max(1, scale.at(q3) - scale.at(q1)))}"
          y="${middle - 12}"
          height="24"
        />`,
        html`<line
          class="median"
          x1="${at(median)}"
          x2="${at(median)}"
          y1="${middle - 12}"
          y2="${middle + 12}"
        />`,
        row.samples.map(
          ({ valueMs }) =>
            html`<circle class="fill-arm-${colour} sample" cx="${at(valueMs)}" cy="${middle + 20}" r="3" />`,
        ),
      ];
    }),
  ]);
}
