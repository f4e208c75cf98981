import { formatDurationMs } from '../../units/duration.ts';
import type { ArmModel } from '../arms.ts';
import type { PairSet } from '../pair-rows.ts';
import { html, type Content, type Markup } from './markup.ts';
import { linearScale, px } from './scale.ts';
import { armPoint, drawing, plot, yAxis } from './svg-frame.ts';

const height = 280;
const bottom = height - 34;

/** Middle of column `index` of `count`. */
function column(index: number, count: number): number {
  return plot.left + ((index + 0.5) / count) * (plot.right - plot.left);
}

/** Numbers under the columns, thinned out when there are many. */
function ordinals(count: number): Content {
  const every = Math.ceil(count / 24);
  return Array.from({ length: count }, (_one, index) =>
    index % every === 0
      ? html`<text class="tick middle" x="${px(column(index, count))}" y="${bottom + 18}">${index + 1}</text>`
      : undefined,
  );
}

/** Each pair as a line from the baseline's time to the other arm's, in run order. */
export function pairsDrawing(set: PairSet, colourOf: (arm: string) => number): Markup {
  const { rows } = set;
  const scale = linearScale(
    rows.flatMap((row) => [row.baselineMs, row.armMs]),
    [bottom, plot.top],
  );
  return drawing(height, [
    yAxis(scale, formatDurationMs),
    ordinals(rows.length),
    rows.map((row, index) => {
      const x = column(index, rows.length);
      const [from, to] = [scale.at(row.baselineMs), scale.at(row.armMs)];
      return [
        html`<line class="pair" x1="${px(x)}" x2="${px(x)}" y1="${px(from)}" y2="${px(to)}" />`,
        armPoint(colourOf(set.baseline), x, from),
        armPoint(colourOf(set.arm), x, to),
      ];
    }),
  ]);
}

/** The ratio of each pair, with the estimate and its interval as a band behind them. */
export function ratiosDrawing(set: PairSet, colour: ArmModel['colour']): Markup {
  const { rows, effect } = set;
  const ratios = rows.map((row) => row.ratio);
  const scale = linearScale([...ratios, effect?.interval?.high ?? 0, 1], [bottom, plot.top]);
  const { left, right } = plot;
  const across = (className: string, ratio: number): Markup =>
    html`<line
      class="${className}"
      x1="${left}"
      x2="${right}"
      y1="${px(scale.at(ratio))}"
      y2="${px(scale.at(ratio))}"
    />`;
  return drawing(height, [
    effect?.interval === undefined
      ? undefined
      : html`<rect
          class="band"
          x="${left}"
          width="${right - left}"
          y="${px(scale.at(effect.interval.high))}"
          height="${px(Math.max(1, scale.at(effect.interval.low) - scale.at(effect.interval.high)))}"
        />`,
    yAxis(scale, (tick) => `${String(Number(tick.toPrecision(3)))}×`),
    ordinals(rows.length),
    across('parity', 1),
    effect === undefined ? undefined : across('estimate', effect.ratio),
    rows.map((row, index) =>
      Number.isFinite(row.ratio)
        ? armPoint(colour, column(index, rows.length), scale.at(row.ratio))
        : undefined,
    ),
  ]);
}
