import { styleText } from 'node:util';
import stringWidth from 'string-width';
import type { ReportModel } from './model.ts';
import { fit, pad, textTable, wrap } from './text-table.ts';
import { verdictWord } from './words.ts';

/** How the terminal is. */
export interface TerminalOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** False where NO_COLOR is set or the output is no terminal. */
  readonly color: boolean;
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';
type Paint = (style: Style, text: string) => string;

/** Each phase has its own character, so that the bar can be read without colour. */
const phaseMarks = ['·', '-', '█', '+', ':', '▒', '▓'] as const;

/** The result for people at a terminal: verdict, comparisons, phases as bars, proofs, caveats. */
export function renderTerminal(model: ReportModel, { width, color }: TerminalOptions): string {
  const columns = Math.max(40, Math.min(width, 140));
  // `validateStream: false`: whether there is colour is the caller's decision, not a stream's.
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const blocks = [
    verdict(model, columns, paint),
    comparisons(model, columns, paint),
    phases(model, columns, paint),
    evidence(model, columns, paint),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function verdict(model: ReportModel, columns: number, paint: Paint): readonly string[] {
  const style: Style =
    model.standing === 'ok' ? 'green' : model.standing === 'inconclusive' ? 'yellow' : 'red';
  const standing = model.standing === 'ok' ? [] : [paint(style, `Standing: ${model.standing}`)];
  return [...wrap(model.sentence, columns).map((line) => paint('bold', line)), ...standing];
}

function comparisons(model: ReportModel, columns: number, paint: Paint): readonly string[] {
  if (model.metrics.length === 0) return [paint('dim', 'Nothing could be compared: no pair was completed.')];
  const several = model.arms.length > 2;
  const [first] = model.metrics;
  const level = model.metrics.find((row) => row.confidenceText !== undefined)?.confidenceText;
  const left = 'left' as const;
  const right = 'right' as const;
  const [head = '', ...lines] = textTable(
    [
      { head: 'Metric', align: left },
      ...(several ? [{ head: 'Arm', align: left }] : []),
      { head: fit(first?.baseline ?? '', 14), align: right },
      { head: several ? 'arm' : fit(first?.arm ?? '', 14), align: right },
      { head: 'ratio', align: right },
      { head: level === undefined ? 'interval' : `${level} interval`, align: left },
      { head: 'n', align: right },
      { head: 'verdict', align: left },
    ],
    model.metrics.map((row) => [
      row.label,
      ...(several ? [fit(row.arm, 14)] : []),
      row.baselineText,
      row.armText,
      row.ratioText,
      row.intervalText,
      String(row.pairs),
      verdictWord(row),
    ]),
  );
  return [
    paint('dim', fit(head, columns)),
    ...lines.map((line, index) => {
      const kind = model.metrics[index]?.verdict;
      const cut = fit(line, columns);
      if (kind === 'faster') return paint('green', cut);
      return kind === 'slower' ? paint('red', cut) : cut;
    }),
  ];
}

function phases(model: ReportModel, columns: number, paint: Paint): readonly string[] {
  if (model.phases.length === 0) return [];
  const names = model.phases.map((row) => fit(row.arm, 16));
  const nameWidth = Math.max(...names.map((name) => stringWidth(name)));
  const totalWidth = Math.max(...model.phases.map((row) => stringWidth(row.totalText)));
  const room = columns - nameWidth - totalWidth - 4;
  const sums = model.phases.map((row) =>
    row.values.reduce((sum, { medianMs }) => sum + Math.max(0, medianMs ?? 0), 0),
  );
  const longest = Math.max(...sums, 1);
  const bars = model.phases.map((row, index) => {
    let untilMs = 0;
    let drawn = 0;
    let bar = '';
    for (const [phase, { medianMs }] of row.values.entries()) {
      untilMs += Math.max(0, medianMs ?? 0);
      // Ends are rounded, not lengths, so that rounding never adds up.
      const end = Math.round((untilMs / longest) * room);
      bar += (phaseMarks[phase] ?? '?').repeat(end - drawn);
      drawn = end;
    }
    return `${pad(names[index] ?? '', nameWidth, 'left')}  ${pad(bar, room, 'left')}  ${pad(row.totalText, totalWidth, 'right')}`;
  });
  const legend = (model.phases[0]?.values ?? []).map(
    ({ label }, phase) => `${phaseMarks[phase] ?? '?'} ${label}`,
  );
  return [
    paint('dim', 'Median phases until ready'),
    ...bars,
    ...wrap(legend.join('   '), columns).map((line) => paint('dim', line)),
  ];
}

function evidence(model: ReportModel, columns: number, paint: Paint): readonly string[] {
  const { held, all, text } = model.proofStanding;
  const proofs = held === all && all > 0 ? `${text} (${String(held)} of ${String(all)})` : text;
  const counts = model.arms.map((arm) => `${arm.name}: ${arm.countsText}`).join('; ');
  const closure = model.closure.map((row) => `${row.arm} ${row.text} (${row.between.join('/')})`).join(', ');
  const lines = [
    paint(held === all && all > 0 ? 'green' : 'red', `Proofs   ${fit(proofs, columns - 9)}`),
    ...hanging('Trials   ', counts, columns),
    ...(closure === '' ? [] : hanging('Closure  ', `sources disagree by at most ${closure}`, columns)),
  ];
  const troubles = model.untimed
    .slice(0, 5)
    .flatMap((trial) => hanging('  ', `${trial.id} ${trial.outcome}: ${fit(trial.reason, 300)}`, columns));
  const more = model.untimed.length - 5;
  return [
    ...lines,
    ...troubles.map((line) => paint('red', line)),
    ...(more > 0 ? [paint('red', `  … and ${String(more)} more`)] : []),
    ...model.warnings.flatMap((warning) =>
      hanging('Warning  ', warning, columns).map((line) => paint('yellow', line)),
    ),
    ...model.statements.flatMap((statement) => hanging('Note     ', statement, columns)),
  ];
}

function hanging(lead: string, text: string, columns: number): readonly string[] {
  return wrap(text, columns - lead.length).map(
    (line, index) => (index === 0 ? lead : ' '.repeat(lead.length)) + line,
  );
}
