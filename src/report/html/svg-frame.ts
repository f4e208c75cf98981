import { html, type Content, type Markup } from './markup.ts';
import { px, type Scale } from './scale.ts';

/** Width of every drawing, in SVG units; the page scales it. */
export const drawingWidth = 760;

/** Plot area inside a drawing. */
export const plot = { left: 72, right: 744, top: 12 } as const;

/** The frame of a drawing. It is described by its caption and its table, so it is hidden from screen readers. */
export function drawing(height: number, content: Content): Markup {
  return html`<svg
    class="drawing"
    viewBox="0 0 ${drawingWidth} ${height}"
    aria-hidden="true"
    focusable="false"
  >
    ${content}
  </svg>`;
}

/** Horizontal grid lines with labels at the left. */
export function yAxis(scale: Scale, format: (value: number) => string): Content {
  return scale.ticks.map((tick) => {
    const y = px(scale.at(tick));
    return html`<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}" /><text
        class="tick end"
        x="${plot.left - 8}"
        y="${px(scale.at(tick) + 4)}"
        >${format(tick)}</text
      >`;
  });
}

/** Vertical grid lines with labels below. */
export function xAxis(
  scale: Scale,
  format: (value: number) => string,
  [top, bottom]: readonly [number, number],
): Content {
  return scale.ticks.map((tick) => {
    const x = px(scale.at(tick));
    return html`<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}" /><text
        class="tick middle"
        x="${x}"
        y="${bottom + 18}"
        >${format(tick)}</text
      >`;
  });
}

/** A point in the shape of its arm: shapes differ as well as colours. */
export function armPoint(colour: number, x: number, y: number): Markup {
  const className = `fill-arm-${String(colour % 6)}`;
  switch (colour % 3) {
    case 0:
      return html`<circle class="${className}" cx="${px(x)}" cy="${px(y)}" r="5" />`;
    case 1:
      return html`<rect class="${className}" x="${px(x - 4.5)}" y="${px(y - 4.5)}" width="9" height="9" />`;
    default:
      return html`<path class="${className}" d="M${px(x)} ${px(y - 6)}l6 11h-12z" />`;
  }
}
