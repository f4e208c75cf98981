import type { ReportModel } from '../model.ts';
import { verdictWord } from '../words.ts';
import { html, type Content, type Markup } from './markup.ts';

const standingWords: Readonly<Record<ReportModel['standing'], string>> = {
  ok: 'Result stands',
  incomplete: 'Incomplete',
  invalid: 'Not valid',
  inconclusive: 'Inconclusive',
};

/** First screen: the verdict in a sentence, what it cost in time and bytes, whether the proofs held, and the caveats. */
export function hero(model: ReportModel): Markup {
  return html`<section class="hero" aria-labelledby="verdict">
    <p class="badge badge-${model.standing}">${standingWords[model.standing]}</p>
    <h1 id="verdict">${model.sentence}</h1>
    <dl class="figures">${figures(model)}</dl>
    ${
      model.statements.length === 0
        ? undefined
        : html`<div class="notice" role="note" aria-label="Read before the numbers">
            ${model.statements.map((statement) => html`<p>${statement}</p>`)}
          </div>`
    }
    ${
      model.warnings.length === 0
        ? undefined
        : html`<div class="notice warning" role="note" aria-label="Warnings">
            ${model.warnings.map((warning) => html`<p>Warning: ${warning}</p>`)}
          </div>`
    }
  </section>`;
}

function figures(model: ReportModel): Content {
  const others = model.arms.filter((arm) => arm.role === 'other');
  const compared = others.flatMap((arm) =>
    (['timeToReady', 'bytesAtReady'] as const).flatMap((metric) => {
      const row = model.metrics.find((one) => one.metric === metric && one.arm === arm.name);
      if (row === undefined) return [];
      const { confidenceText } = row;
      return html`<div class="figure">
        <dt>${row.label}, medians</dt>
        <dd>
          <span class="change"
            ><span class="from"><span class="key key-arm-0">${row.baseline}</span> ${row.baselineText}</span>
            <span class="to"
              ><span class="key key-arm-${arm.colour % 6}">${row.arm}</span> ${row.armText}</span
            ></span
          >
          <span class="under"
            >${row.ratioText},
            ${row.intervalText}${confidenceText === undefined ? '' : ` (${confidenceText})`},
            ${`n\u00a0=\u00a0${String(row.pairs)}`}: <strong>${verdictWord(row)}</strong></span
          >
        </dd>
      </div>`;
    }),
  );
  const { held, all, text } = model.proofStanding;
  return [
    compared,
    html`<div class="figure">
      <dt>Proofs</dt>
      <dd>
        <span class="big">${all === 0 ? 'None' : `${String(held)} of ${String(all)}`}</span
        ><span class="under">${text}</span>
      </dd>
    </div>`,
    html`<div class="figure">
      <dt>Trials</dt>
      <dd>
        <span class="big">${model.trials.length}</span
        >${model.arms.map((arm) => html`<span class="under">${arm.name}: ${arm.countsText}</span>`)}
      </dd>
    </div>`,
  ];
}
