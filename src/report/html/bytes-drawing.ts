import { formatDurationMs } from '../../units/duration.ts';
import { formatBytes } from '../../units/size.ts';
import type { ByteCurve } from '../byte-curves.ts';
import { html, type Markup } from './markup.ts';
import { linearScale, px } from './scale.ts';
import { armPoint, drawing, plot, xAxis, yAxis } from './svg-frame.ts';

const bottom = 262;

/** Cumulative bytes over time, one line per arm, with a point where the workload was ready. */
export function bytesDrawing(curves: readonly ByteCurve[], colourOf: (arm: string) => number): Markup {
  const points = curves.flatMap((curve) => curve.points);
  const x = linearScale(
    [...points.map(([atMs]) => atMs), ...curves.map((curve) => curve.readyMs ?? 0)],
    [plot.left, plot.right],
  );
  const y = linearScale(
    points.map(([, bytes]) => bytes),
    [bottom, plot.top + 8],
  );
  return drawing(300, [
    yAxis(y, formatBytes),
    xAxis(x, formatDurationMs, [plot.top, bottom]),
    curves.map((curve) => {
      const colour = colourOf(curve.arm);
      // Bytes arrive with each finished request: a step, not a slope.
      const path = curve.points.reduce(
        (steps, [atMs, bytes]) => `${steps}H${px(x.at(atMs))}V${px(y.at(bytes))}`,
        `M${px(x.at(0))} ${px(y.at(0))}`,
      );
      const { firstLogMs, readyMs, bytesAtReady } = curve;
      return [
        html`<path class="curve line-arm-${colour % 6}" d="${path}" />`,
        firstLogMs === undefined
          ? undefined
          : html`<line
              class="first-log line-arm-${colour % 6}"
              x1="${px(x.at(firstLogMs))}"
              x2="${px(x.at(firstLogMs))}"
              y1="${bottom}"
              y2="${plot.top}"
            />`,
        readyMs === undefined || bytesAtReady === undefined
          ? undefined
          : [
              html`<line
                class="ready line-arm-${colour % 6}"
                x1="${px(x.at(readyMs))}"
                x2="${px(x.at(readyMs))}"
                y1="${bottom}"
                y2="${px(y.at(bytesAtReady))}"
              />`,
              armPoint(colour, x.at(readyMs), y.at(bytesAtReady)),
              html`<text class="label end" x="${px(x.at(readyMs) - 9)}" y="${px(y.at(bytesAtReady) - 8)}"
                >${curve.arm} ready</text
              >`,
            ],
      ];
    }),
  ]);
}
