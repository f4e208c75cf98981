import { html, type Content, type Markup } from './markup.ts';

/** A column: its heading, and whether its cells are numbers (set right, in tabular figures). */
export interface Column {
  readonly head: Content;
  readonly numeric?: boolean;
  /** Sentences: kept wide enough to be read where the table scrolls. */
  readonly prose?: boolean;
}

/** A table that scrolls sideways inside its own region when the page is too narrow; the first cell heads its row. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Content[])[],
): Markup {
  const kind = (index: number): string => {
    if (columns[index]?.numeric === true) return 'number';
    return columns[index]?.prose === true ? 'prose' : 'text';
  };
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map(({ head }, index) => html`<th scope="col" class="${kind(index)}">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, index) =>
                index === 0
                  ? html`<th scope="row" class="${kind(index)}">${cell}</th>`
                  : html`<td class="${kind(index)}">${cell}</td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** The table that says the same as a chart. Open until the report's script has drawn the chart. */
export function tableTwin(content: Markup): Markup {
  return html`<details class="twin" open>
    <summary>The same as a table</summary>
    ${content}
  </details>`;
}
