import type { ReportModel } from './model.ts';
import { verdictWord } from './words.ts';

/** Escapes data for Markdown text and table cells: no markup, HTML, link, mention or line break comes from it. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~$]/gu, '\\$&')
    .replaceAll('@', '&#64;')
    .replace(/(?<=:)\/\//gu, '&#47;&#47;');
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** The report for a pull request or a step summary: GitHub-flavoured Markdown, the raw data left out. */
export function renderMarkdown(model: ReportModel): string {
  const text = escapeMarkdown;
  const lines = [
    `## ${text(model.sentence)}`,
    '',
    ...model.statements.map((statement) => `> ${text(statement)}`),
    ...model.warnings.map((warning) => `> **Warning:** ${text(warning)}`),
    '',
    `**${text(model.scenarioName)}**, run ${text(model.runId)}, ${model.startedText}. Standing: ${model.standing}. Proofs: ${text(model.proofStanding.text)} (${String(model.proofStanding.held)} of ${String(model.proofStanding.all)}). ${model.arms.map((arm) => `${text(arm.name)}: ${arm.countsText}`).join('; ')}.`,
    '',
  ];
  if (model.metrics.length > 0) {
    lines.push(
      row(['Metric', 'Compared', 'Baseline', 'Arm', 'Ratio', 'Interval', 'Pairs', 'Verdict']),
      row(['---', '---', '--:', '--:', '--:', '---', '--:', '---']),
      ...model.metrics.map((metric) =>
        row([
          metric.label,
          text(`${metric.arm} ÷ ${metric.baseline}`),
          metric.baselineText,
          metric.armText,
          metric.ratioText,
          text(
            `${metric.intervalText}${metric.confidenceText === undefined ? '' : ` ${metric.confidenceText}`}`,
          ),
          String(metric.pairs),
          `**${verdictWord(metric)}**`,
        ]),
      ),
      '',
    );
  }
  if (model.untimed.length > 0) {
    lines.push(
      '### Trials that were not timed',
      '',
      row(['Trial', 'Outcome', 'Why']),
      row(['---', '---', '---']),
      ...model.untimed.map((trial) => row([text(trial.id), trial.outcome, text(trial.reason)])),
      '',
    );
  }
  lines.push('Run it again:', '', ...fenced(model.command), '');
  return lines.join('\n').replace(/\n{3,}/gu, '\n\n');
}

/** A fence longer than any run of backticks inside. */
function fenced(code: string): readonly string[] {
  const longest = Math.max(2, ...[...code.matchAll(/`+/gu)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}sh`, code, fence];
}
