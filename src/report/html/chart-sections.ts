import { formatDurationMs } from '../../units/duration.ts';
import { formatBytes } from '../../units/size.ts';
import { plural } from '../figures.ts';
import type { ReportModel } from '../model.ts';
import type { PairSet } from '../pair-rows.ts';
import { phaseWords } from '../words.ts';
import { bytesDrawing } from './bytes-drawing.ts';
import { distributionDrawing } from './distribution-drawing.ts';
import { html, type Content, type Markup } from './markup.ts';
import { pairsDrawing, ratiosDrawing } from './pairs-drawing.ts';
import { phasesDrawing } from './phases-drawing.ts';
import { table, tableTwin } from './table.ts';

interface Chart {
  readonly id: string;
  /** What a screen reader says instead of the picture. */
  readonly spoken: string;
  readonly drawn: Markup;
  readonly caption: Content;
  readonly twin: Markup;
}

/** Canvas for the script, drawing for print and for browsers without script, caption, table. */
function chart({ id, spoken, drawn, caption, twin }: Chart): Markup {
  return html`<figure class="chart">
    <figcaption>${caption}</figcaption>
    <div class="canvas" data-chart="${id}" hidden><canvas role="img" aria-label="${spoken}"></canvas></div>
    <div class="still">${drawn}</div>
    ${twin}
  </figure>`;
}

const section = (id: string, title: string, content: Content): Markup =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`;

/** The charted part of the report, in the order of the contract; sections without data say so. */
export function chartSections(model: ReportModel): Content {
  const colourOf = (name: string): number => model.arms.find((arm) => arm.name === name)?.colour ?? 0;
  return [
    section('phases', 'Where the time goes', phases(model)),
    section(
      'pairs',
      'Pair by pair',
      model.pairSets.some((set) => set.rows.length > 0)
        ? model.pairSets.map((set, index) => pairs(set, index, colourOf))
        : nothing('No block has a completed trial of both arms.'),
    ),
    section('distribution', 'How the trials are spread', distribution(model, colourOf)),
    section('bytes', 'Bytes over time', bytes(model, colourOf)),
  ];
}

const nothing = (why: string): Markup => html`<p class="nothing">${why}</p>`;

function phases(model: ReportModel): Content {
  if (model.phases.length === 0) return nothing('No trial was completed, so no phase was timed.');
  const columns = model.phases[0]?.values ?? [];
  return chart({
    id: 'phases',
    spoken: `Stacked bars of the median phases. ${model.phases.map((row) => `${row.arm} is ready after ${row.totalText}`).join('; ')}. The table below has every value.`,
    drawn: html`<ul class="legend">
        ${columns.map(({ label }, index) => html`<li><span class="swatch fill-phase-${index}"></span>${label}</li>`)}
      </ul>
      ${phasesDrawing(model.phases)}`,
    caption:
      'Median of each phase over the completed trials, all arms on one axis. Look for the phase that shrinks, and for the one that pays for it: what lazy pulling saves in “Pull” can come back after the start. Medians of parts need not add up to the median of the whole.',
    twin: tableTwin(
      table(
        'Median of each phase per arm',
        [
          { head: 'Phase' },
          { head: 'From → to' },
          ...model.phases.map((row) => ({ head: row.arm, numeric: true })),
        ],
        [
          ...columns.map(({ phase, label }, index) => [
            label,
            phaseWords[phase].meaning,
            ...model.phases.map((row) => row.values[index]?.text),
          ]),
          ['Time to ready', 'the whole', ...model.phases.map((row) => row.totalText)],
        ],
      ),
    ),
  });
}

function pairs(set: PairSet, index: number, colourOf: (arm: string) => number): Content {
  if (set.rows.length === 0) return undefined;
  const estimate = set.effect === undefined ? '' : `, ${plural(set.effect.pairs, 'pair')}`;
  return [
    chart({
      id: `pairs-${String(index)}`,
      spoken: `${set.metricLabel} of ${set.baseline} and ${set.arm} in each pair, in run order. The table below has every value.`,
      drawn: html`<ul class="legend">
          <li><span class="swatch fill-arm-${colourOf(set.baseline) % 6}"></span>${set.baseline}</li>
          <li><span class="swatch fill-arm-${colourOf(set.arm) % 6}"></span>${set.arm}</li>
        </ul>
        ${pairsDrawing(set, colourOf)}`,
      caption: html`${set.metricLabel}: each line is one pair, run back to back on the same node, in run order
      from left to right. Look for lines that all point the same way, and for a drift from left to right that
      would mean the node changed while it was measured.`,
      twin: tableTwin(
        table(
          `${set.metricLabel} of each pair`,
          [
            { head: 'Pair', numeric: true },
            { head: 'Block', numeric: true },
            { head: 'Node' },
            { head: 'Ran first' },
            { head: set.baseline, numeric: true },
            { head: set.arm, numeric: true },
            { head: 'Ratio', numeric: true },
          ],
          set.rows.map((row) => [
            row.ordinal,
            row.block + 1,
            row.node,
            row.first ?? 'not known',
            row.baselineText,
            row.armText,
            row.ratioText,
          ]),
        ),
      ),
    }),
    html`<figure class="chart">
      <figcaption>
        Ratio of each pair (${set.arm} ÷ ${set.baseline}${estimate}). The line is the estimate, the band its
        interval, the dashed line “no difference”. Look whether the band stays clear of the dashed line.
      </figcaption>
      <div class="canvas" data-chart="ratios-${index}" hidden>
        <canvas
          role="img"
          aria-label="Ratio of each pair with estimate and interval; the table of pairs above has every value."
        ></canvas>
      </div>
      <div class="still">${ratiosDrawing(set, colourOf(set.arm))}</div>
    </figure>`,
  ];
}

function distribution(model: ReportModel, colourOf: (arm: string) => number): Content {
  if (model.distributions.length === 0) return nothing('No trial was completed.');
  const [first] = model.distributions;
  return chart({
    id: 'distribution',
    spoken: `Distribution of ${first?.metricLabel ?? 'time'} per arm. ${model.distributions.map((row) => `${row.arm}: median ${row.boxText.median}, from ${row.boxText.min} to ${row.boxText.max}`).join('; ')}.`,
    drawn: distributionDrawing(model.distributions, colourOf),
    caption: html`${first?.metricLabel}: each point is a completed trial, the box holds the middle half, the
    line in it is the median, the whiskers reach the extremes. Look for arms whose boxes do not overlap, and
    for single trials far from the rest.`,
    twin: tableTwin(
      table(
        `${first?.metricLabel ?? 'Time'} per arm`,
        [
          { head: 'Arm' },
          { head: 'n', numeric: true },
          ...['Minimum', 'Lower quartile', 'Median', 'Upper quartile', 'Maximum'].map((head) => ({
            head,
            numeric: true,
          })),
        ],
        model.distributions.map(({ arm, box, boxText }) => [
          arm,
          box.n,
          boxText.min,
          boxText.q1,
          boxText.median,
          boxText.q3,
          boxText.max,
        ]),
      ),
    ),
  });
}

/** At most this many lines of a curve stand in its table; the JSON lines have all. */
const curveTableRows = 12;

function bytes(model: ReportModel, colourOf: (arm: string) => number): Content {
  const curves = model.curves.filter((curve) => curve.points.length > 0);
  if (curves.length === 0)
    return nothing('No completed trial has a curve: that takes a meter between the node and the registry.');
  return chart({
    id: 'bytes',
    spoken: `Bytes moved over time. ${curves.map((curve) => `${curve.arm}: ${curve.bytesAtReadyText} when ready after ${curve.readyText}, ${curve.bytesAtEndText} at the end`).join('; ')}.`,
    drawn: bytesDrawing(curves, colourOf),
    caption: html`Bytes that had crossed the wire since the pod was submitted; the point on each line is the
    moment the workload was ready, the dotted line its first line of log. Shown is ${model.representativeWhy}.
    Look how far down and to the left the point is, and whether the line goes on rising after it.`,
    twin: tableTwin(
      html`${table(
        `Bytes at the marks (${model.representativeWhy})`,
        [
          { head: 'Arm' },
          ...[
            'Ready after',
            'Bytes at ready',
            'Bytes at end',
            'Requests at end',
            'Share of image at ready',
            'Amplification',
          ].map((head) => ({ head, numeric: true })),
        ],
        curves.map((curve) => [
          curve.arm,
          curve.readyText,
          curve.bytesAtReadyText,
          curve.bytesAtEndText,
          curve.requestsAtEndText,
          curve.fetchedShareText,
          curve.amplificationText,
        ]),
      )}
      ${curves.map(({ arm, points }) =>
        table(
          `${arm}: bytes over time, ${String(Math.min(points.length, curveTableRows))} of ${String(points.length)} points`,
          [
            { head: 'Since submit', numeric: true },
            { head: 'Bytes', numeric: true },
          ],
          points
            .filter(
              (_point, index) =>
                index % Math.ceil(points.length / curveTableRows) === 0 || index === points.length - 1,
            )
            .map(([atMs, moved]) => [formatDurationMs(atMs), formatBytes(moved)]),
        ),
      )}`,
    ),
  });
}
