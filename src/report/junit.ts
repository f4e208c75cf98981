import type { ArmModel } from './arms.ts';
import type { ReportModel } from './model.ts';
import { proofWords } from './words.ts';

/** Escapes for XML 1.0, and drops what XML cannot hold even escaped. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[\t\n\r]/gu, (space) => `&#${String(space.charCodeAt(0))};`);
}

interface Case {
  readonly name: string;
  readonly outcome: 'passed' | 'failure' | 'skipped';
  readonly message: string;
}

/**
 * The run as JUnit XML: a suite per arm; a case per comparison, per proof and per trial that was not timed. Proofs
 * that do not hold and trials that were not timed are failures; an inconclusive comparison is skipped. A slower arm
 * is no failure here: that is what `gate` judges.
 */
export function renderJunit(model: ReportModel): string {
  const suites = model.arms.map((arm) => ({ arm, cases: casesOf(model, arm) }));
  const all = suites.flatMap((suite) => suite.cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escapeXml(model.scenarioName)}" ${tally(all)}>`,
    ...suites.flatMap(({ arm, cases }) => [
      `  <testsuite name="${escapeXml(arm.name)}" ${tally(cases)} time="0">`,
      '    <properties>',
      `      <property name="run" value="${escapeXml(model.runId)}"/>`,
      `      <property name="verdict" value="${escapeXml(model.sentence)}"/>`,
      ...model.statements.map((one) => `      <property name="statement" value="${escapeXml(one)}"/>`),
      '    </properties>',
      ...cases.map((one) => testCase(one, `${model.scenarioName}.${arm.name}`)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function tally(cases: readonly Case[]): string {
  const count = (outcome: Case['outcome']): string =>
    String(cases.filter((one) => one.outcome === outcome).length);
  return `tests="${String(cases.length)}" failures="${count('failure')}" errors="0" skipped="${count('skipped')}"`;
}

function testCase({ name, outcome, message }: Case, className: string): string {
  const open = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(className)}" time="0"`;
  if (outcome === 'passed')
    return message === '' ? `${open}/>` : `${open}><system-out>${escapeXml(message)}</system-out></testcase>`;
  return `${open}><${outcome} message="${escapeXml(message)}"/></testcase>`;
}

function casesOf(model: ReportModel, arm: ArmModel): readonly Case[] {
  const comparisons = model.metrics
    .filter((row) => row.arm === arm.name)
    .map((row): Case => ({
      // The name stays the same from run to run, so that CI systems can follow a case; the numbers go beside it.
      name: `${row.label} against ${row.baseline}`,
      outcome: row.verdict === 'inconclusive' ? 'skipped' : 'passed',
      message: `${row.verdict}: ${row.baselineText} to ${row.armText}, ratio ${row.ratioText} ${row.intervalText}; ${row.because}`,
    }));
  const proofs = model.proofs
    .filter((row) => row.arm === arm.name)
    .map((row): Case => {
      const broken = model.brokenProofs.filter((one) => one.arm === arm.name && one.name === row.name);
      return {
        name: proofWords[row.name],
        outcome: row.refuted + row.missing > 0 ? 'failure' : 'passed',
        message: broken.map((one) => `${one.trial} ${one.verdict}: ${one.because}`).join('\n'),
      };
    });
  const untimed = model.untimed
    .filter((trial) => trial.arm === arm.name)
    .map((trial): Case => ({
      name: `trial ${trial.id}`,
      outcome: 'failure',
      message: `${trial.outcome}: ${trial.reason}`,
    }));
  return [...comparisons, ...proofs, ...untimed];
}
