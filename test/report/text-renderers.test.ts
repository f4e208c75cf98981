import assert from 'node:assert/strict';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { renderJson } from '../../src/report/json.ts';
import { escapeXml, renderJunit } from '../../src/report/junit.ts';
import { escapeMarkdown, renderMarkdown } from '../../src/report/markdown.ts';
import { buildReportModel } from '../../src/report/model.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { fixtureRun } from '../support/fixture-run.ts';
import { makeHostile } from '../support/hostile-text.ts';
import { suite } from '../support/suite.ts';

const test = suite('text renderers');
const normal = buildReportModel(fixtureRun({ withTroubles: true }));
const hostile = buildReportModel(fixtureRun({ withTroubles: true, text: makeHostile }));

test('keeps every terminal line inside the terminal, with hostile data too', () => {
  for (const model of [normal, hostile])
    for (const width of [60, 80, 120])
      for (const line of renderTerminal(model, { width, color: true }).split('\n'))
        assert.ok(stringWidth(line) <= width, `${String(stringWidth(line))} > ${String(width)}: ${line}`);
});

test('writes no escape sequence without colour, whatever the data hold', () => {
  for (const model of [normal, hostile])
    assert.ok(!renderTerminal(model, { width: 80, color: false }).includes(String.fromCharCode(27)));
});

test('says verdict, interval, proofs and the embedded node on the terminal', () => {
  const text = renderTerminal(normal, { width: 120, color: false });
  assert.match(text, /^nydus is ready 2\.71× sooner/u);
  assert.match(text, /Time to ready +4\.20 s +1\.55 s +0\.369× +\[0\.347, 0\.454\] +6 +faster/u);
  assert.match(text, /38 of 39 proofs held, 1 refuted/u);
  assert.match(text, /Embedded node: real bytes/u);
});

test('draws phases in proportion to their length', () => {
  const bars = renderTerminal(normal, { width: 120, color: false })
    .split('\n')
    .filter((line) => line.includes('█████') || /^nydus +[-·█]/u.test(line));
  const [oci = 0, nydus = 0] = bars.map((line) => line.match(/[·\-█+:▒▓]/gu)?.length ?? 0);
  assert.ok(Math.abs(nydus / oci - 1.55 / 4.2) < 0.03, `${String(nydus)} of ${String(oci)}`);
});

test('lets no HTML, link, mention or table cell out of Markdown data', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(escapeMarkdown(text), /[<>\n\r@]|(?<!\\)(?:\\\\)*[|`*_[\]]/u);
    }),
  );
  const text = renderMarkdown(hostile);
  assert.doesNotMatch(text.replace(/^(`{3,})sh$[\s\S]*?^\1$/mu, ''), /<script|<img|<svg/u);
});

test('gives every Markdown table row as many cells as its head', () => {
  const widths = renderMarkdown(normal)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split(/(?<!\\)\|/u).length);
  assert.deepEqual([...new Set(widths)], [10, 5]);
});

test('writes only characters that XML 1.0 allows', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(escapeXml(text), /[<>"]|&(?!(?:amp|lt|gt|quot|#\d+);)/u);
    }),
  );
  assert.equal(escapeXml('a\u0000\ud800\ufffe<'), 'a\ufffd\ufffd\ufffd&lt;');
});

test('counts in JUnit what it lists', () => {
  const xml = renderJunit(normal);
  const all = [...xml.matchAll(/<testcase /gu)].length;
  const failures = [...xml.matchAll(/<failure /gu)].length;
  assert.match(
    xml,
    new RegExp(
      `<testsuites name="quickstart" tests="${String(all)}" failures="${String(failures)}" errors="0" skipped="0">`,
      'u',
    ),
  );
  assert.equal(failures, 4);
});

test('skips comparisons that one pair cannot decide', () => {
  const xml = renderJunit(buildReportModel(fixtureRun({ pairs: 1 })));
  assert.match(xml, /name="Time to ready against oci"[^>]*><skipped message="inconclusive:/u);
});

test('publishes the summary with medians, ratio and interval, and leaves out what was not measured', () => {
  const published = JSON.parse(renderJson(fixtureRun({ pairs: 1 }).summary)) as { comparisons: object[] };
  assert.deepEqual(Object.keys(published.comparisons[0] ?? {}), [
    'metric',
    'unit',
    'arm',
    'baseline',
    'verdict',
    'because',
    'pairs',
    'ratio',
    'baselineMedian',
    'armMedian',
  ]);
});
