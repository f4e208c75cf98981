import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { HarnessError } from '../errors/harness-error.ts';
import { summarize } from '../decision/summarize.ts';
import type { Summary } from '../decision/summary.ts';
import { loadRun } from '../results/load-run.ts';
import { writeSummary } from '../results/run-directory.ts';
import { writeAtomically } from '../results/write-atomically.ts';
import { renderHtml, type ReportAssets } from '../report/html/render-html.ts';
import { renderJson } from '../report/json.ts';
import { renderJunit } from '../report/junit.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { buildReportModel } from '../report/model.ts';
import { renderTerminal } from '../report/terminal.ts';
import type { CommandContext } from './console-streams.ts';
import { packageRoot } from './package-root.ts';

/** A run that was judged and whose reports are written. */
export interface WrittenReports {
  readonly summary: Summary;
  readonly htmlFile: string;
}

/**
 * Judges a run directory and writes summary.json, report.html, report.md and junit.xml into it, from the directory
 * alone; the result goes to stdout. An interrupted or damaged run is reported as far as it goes.
 */
export async function writeReports(
  directory: string,
  format: 'text' | 'json',
  context: CommandContext,
): Promise<WrittenReports> {
  const { record, trials, end, warnings } = await loadRun(directory);
  for (const warning of warnings) context.stderr.write(`warning: ${warning}\n`);
  const summary = summarize(record, trials, end === undefined ? {} : { end });
  const model = buildReportModel({ run: record, trials, summary, end, warnings });
  const htmlFile = path.join(directory, 'report.html');
  await writeSummary({ path: directory }, summary);
  await writeAtomically(htmlFile, renderHtml(model, await readAssets()));
  await writeAtomically(path.join(directory, 'report.md'), renderMarkdown(model));
  await writeAtomically(path.join(directory, 'junit.xml'), renderJunit(model));
  if (format === 'json') context.stdout.write(renderJson(summary));
  else {
    const { isTTY, columns } = context.stdout;
    const text = renderTerminal(model, { width: columns, color: isTTY && context.isColorAllowed });
    context.stdout.write(`${text.trimEnd()}\n\n${path.relative('.', htmlFile) || htmlFile}\n`);
  }
  return { summary, htmlFile };
}

/** The report's browser code, which the build makes. */
async function readAssets(): Promise<ReportAssets> {
  const folder = path.join(packageRoot(), 'dist');
  try {
    const [script, style] = await Promise.all([
      readFile(path.join(folder, 'report-client.js'), 'utf8'),
      readFile(path.join(folder, 'report-client.css'), 'utf8'),
    ]);
    return { script, style };
  } catch (error) {
    throw new HarnessError('TOOL_MISSING', `the report's browser code is not in ${folder}`, {
      hint: 'In a checkout, `npm run build` makes it.',
      cause: error,
    });
  }
}
