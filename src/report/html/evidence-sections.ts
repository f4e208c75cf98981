import { plural } from '../figures.ts';
import type { ReportModel } from '../model.ts';
import { rawColumns } from '../trial-rows.ts';
import { proofWords, sourceWords, verdictWord } from '../words.ts';
import { html, type Content, type Markup } from './markup.ts';
import { table } from './table.ts';

const section = (id: string, title: string, content: Content): Markup =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`;

/** Every comparison in one table. */
export function comparisonSection(model: ReportModel): Markup {
  return section(
    'comparisons',
    'Every comparison',
    model.metrics.length === 0
      ? html`<p class="nothing">Nothing could be compared: no pair was completed.</p>`
      : html`<p>
            Ratio is other arm ÷ baseline on the same block and node, so below 1 is sooner or fewer. Ratios
            inside ± ${model.marginText} count as equivalent.
          </p>
          ${table(
            'Every comparison with its interval',
            [
              { head: 'Metric' },
              { head: 'Compared' },
              { head: 'Baseline', numeric: true },
              { head: 'Arm', numeric: true },
              { head: 'Ratio', numeric: true },
              { head: 'Interval' },
              { head: 'Pairs', numeric: true },
              { head: 'Verdict' },
              { head: 'Because', prose: true },
            ],
            model.metrics.map((row) => [
              row.label,
              html`<span class="whole">${row.arm} ÷ ${row.baseline}</span>`,
              row.baselineText,
              row.armText,
              row.ratioText,
              html`<span class="whole">${row.intervalText}</span>
                <span class="whole">${row.confidenceText}</span>`,
              row.pairs,
              html`<strong class="verdict verdict-${row.verdict}">${verdictWord(row)}</strong>`,
              row.because,
            ]),
          )}`,
  );
}

/** Traffic by class and by source, with how far the sources disagree. */
export function trafficSection(model: ReportModel): Markup {
  const arms = model.trafficByClass[0]?.cells ?? [];
  return section(
    'traffic',
    'What crossed the wire',
    model.trafficBySource.length === 0
      ? html`<p class="nothing">No source counted any traffic of a completed trial.</p>`
      : [
          html`<p>
            Counted in ${model.representativeWhy}. Two sources that do not know of each other should agree;
            the closure below is how far they disagree at worst, over all completed trials.
          </p>`,
          arms.length === 0
            ? undefined
            : table(
                'Traffic by class, whole trial',
                [
                  { head: 'Class' },
                  ...arms.flatMap(({ arm }) => [
                    { head: `${arm}: bytes`, numeric: true },
                    { head: `${arm}: requests`, numeric: true },
                  ]),
                ],
                model.trafficByClass.map((row) => [
                  row.label,
                  ...row.cells.flatMap((cell) => [cell.bytesText, cell.requestsText]),
                ]),
              ),
          table(
            'Traffic by source',
            [
              { head: 'Arm' },
              { head: 'Source' },
              { head: 'Bytes at ready', numeric: true },
              { head: 'Bytes at end', numeric: true },
              { head: 'Requests', numeric: true },
              { head: 'Of it prefetch', numeric: true },
            ],
            model.trafficBySource.map((row) => [
              row.arm,
              row.source,
              row.atReadyText,
              row.atEndText,
              row.requestsText,
              row.prefetchText,
            ]),
          ),
          model.closure.length === 0
            ? html`<p class="nothing">No closure: fewer than two independent sources.</p>`
            : table(
                'Closure: largest disagreement of two sources',
                [{ head: 'Arm' }, { head: 'Between' }, { head: 'Disagreement', numeric: true }],
                model.closure.map((row) => [row.arm, row.between.join(' and '), row.text]),
              ),
        ],
  );
}

/** Proofs per arm, then everything that did not hold or was not timed. */
export function proofSection(model: ReportModel): Markup {
  return section('proofs', 'Proofs, and what was left out', [
    html`<p>
      Cold must be shown to be cold and lazy to be lazy, trial by trial: ${model.proofStanding.text}.
    </p>`,
    model.proofs.length === 0
      ? undefined
      : table(
          'Proofs per arm',
          [
            { head: 'Arm' },
            { head: 'Claim', prose: true },
            { head: 'Proved', numeric: true },
            { head: 'Refuted', numeric: true },
            { head: 'Missing', numeric: true },
            { head: 'On the grounds that', prose: true },
          ],
          model.proofs.map((row) => [
            row.arm,
            row.claim,
            row.proved,
            row.refuted,
            row.missing,
            row.grounds ?? 'nothing',
          ]),
        ),
    model.brokenProofs.length === 0
      ? undefined
      : table(
          'Proofs that do not hold',
          [
            { head: 'Trial' },
            { head: 'Arm' },
            { head: 'Claim', prose: true },
            { head: 'Verdict' },
            { head: 'Because', prose: true },
          ],
          model.brokenProofs.map((row) => [
            row.trial,
            row.arm,
            proofWords[row.name],
            html`<strong class="verdict verdict-slower">${row.verdict}</strong>`,
            row.because,
          ]),
        ),
    model.untimed.length === 0
      ? html`<p>Every trial was completed; none was left out.</p>`
      : html`<p>
            ${plural(model.untimed.length, 'trial')} counted but not timed: a failure is an outcome, never a
            duration.
          </p>
          ${table(
            'Trials that were not timed',
            [
              { head: 'Trial' },
              { head: 'Arm' },
              { head: 'Block', numeric: true },
              { head: 'Outcome' },
              { head: 'Why', prose: true },
            ],
            model.untimed.map((row) => [
              row.id,
              row.arm,
              row.block + 1,
              row.outcome,
              row.hint === undefined ? row.reason : html`${row.reason}<br /><em>${row.hint}</em>`,
            ]),
          )}`,
  ]);
}

/** Where and with what it was measured. */
export function environmentSection(model: ReportModel): Content {
  return [
    section(
      'environment',
      'Environment',
      html`<div class="groups">
        ${model.environment.map(
          (group) =>
            html`<div class="group">
              <h3>${group.title}</h3>
              <dl>
                ${group.facts.map(
                  ([name, value]) =>
                    html`<div>
                      <dt>${name}</dt>
                      <dd>${value}</dd>
                    </div>`,
                )}
              </dl>
            </div>`,
        )}
      </div>`,
    ),
    section(
      'images',
      'Images',
      model.images.length === 0
        ? html`<p class="nothing">run.json names no image.</p>`
        : table(
            'Images and digests',
            [
              { head: 'Arm' },
              { head: 'Reference and digest', prose: true },
              { head: 'Made from' },
              { head: 'Kind' },
              { head: 'Compressed', numeric: true },
              { head: 'Layers', numeric: true },
            ],
            model.images.map((row) => [
              row.arm,
              html`<code>${row.reference}</code><br /><code class="digest">${row.digest}</code>`,
              row.source,
              row.details === '' ? row.kind : `${row.kind}: ${row.details}`,
              row.sizeText,
              row.layersText,
            ]),
          ),
    ),
  ];
}

/** A short name is kept on one line; a long one may break, so that it cannot push the numbers away. */
const whole = (name: string): Content => (name.length > 24 ? name : html`<span class="whole">${name}</span>`);

/** Every trial with its durations, errors and sources. */
export function rawSection(model: ReportModel): Markup {
  const letters = new Set(
    model.trials.flatMap((row) =>
      row.durations.flatMap((cell) => (cell.sources ?? '').match(/[A-Z]/gu) ?? []),
    ),
  );
  return section('raw', 'Raw data', [
    html`<p>
      Every trial in run order. Under each duration stand its error bound and the letters of the sources of
      its two ends.
    </p>`,
    table(
      'Every trial',
      [
        { head: 'Trial' },
        { head: 'Arm' },
        { head: 'Block', numeric: true },
        { head: 'Ran', numeric: true },
        { head: 'Node' },
        { head: 'Outcome' },
        ...rawColumns.map(({ label }) => ({ head: label, numeric: true })),
        { head: 'Bytes at ready', numeric: true },
        { head: 'Flags' },
      ],
      model.trials.map((row) => [
        whole(row.id),
        row.arm,
        row.block + 1,
        row.position + 1,
        whole(row.node),
        row.outcome,
        ...row.durations.map((cell) =>
          cell.errorText === undefined
            ? cell.text
            : html`${cell.text}<br /><small>${cell.errorText} <abbr>${cell.sources}</abbr></small>`,
        ),
        row.bytesAtReadyText,
        row.flags.join('; '),
      ]),
    ),
    letters.size === 0
      ? undefined
      : html`<dl class="letters">
          ${Object.entries(sourceWords).map(([letter, meaning]) =>
            letters.has(letter)
              ? html`<div>
                  <dt>${letter}</dt>
                  <dd>${meaning}</dd>
                </div>`
              : undefined,
          )}
        </dl>`,
    html`<p class="download" id="download-place">
      The same as JSON lines: <code>trials.jsonl</code> in the run's folder; this page carries a copy in its
      source.
    </p>`,
  ]);
}

/** The command and the scenario that give this run again. */
export function repeatSection(model: ReportModel): Markup {
  return section(
    'repeat',
    'Run it again',
    html`<p>This command, with the scenario below and the same seed, gives the same schedule.</p>
      <pre class="command" tabindex="0"><code id="command">${model.command}</code></pre>
      <details>
        <summary>The scenario as it was read</summary>
        <pre tabindex="0"><code>${model.scenarioText}</code></pre>
      </details>`,
  );
}
