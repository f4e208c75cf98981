import assert from 'node:assert/strict';
import { buildReportModel } from '../../src/report/model.ts';
import { fixtureRun } from '../support/fixture-run.ts';
import { suite } from '../support/suite.ts';

const test = suite('report model');

test('puts the baseline first and keeps its colour', () => {
  const { arms } = buildReportModel(fixtureRun());
  assert.deepEqual(
    arms.map(({ name, role, colour }) => [name, role, colour]),
    [
      ['oci', 'baseline', 0],
      ['nydus', 'other', 1],
    ],
  );
});

test('keeps every pair in run order with the arm that ran first', () => {
  const input = fixtureRun();
  const [set] = buildReportModel(input).pairSets;
  assert.equal(set?.rows.length, 6);
  for (const row of set.rows) {
    const first = input.trials.find((trial) => trial.block === row.block && trial.position === 0);
    assert.equal(row.first, first?.arm);
    assert.equal(row.ratio, row.armMs / row.baselineMs);
  }
});

test('draws the pair that lies nearest to the estimate, both arms from the same block', () => {
  const input = fixtureRun();
  const model = buildReportModel(input);
  const blocks = model.curves.map((curve) => input.trials.find((trial) => trial.id === curve.trial)?.block);
  assert.equal(blocks.length, 2);
  assert.equal(blocks[0], blocks[1]);
  const estimate = model.pairSets[0]?.effect?.ratio ?? Number.NaN;
  const distance = (ratio: number): number => Math.abs(Math.log(ratio / estimate));
  const rows = model.pairSets[0]?.rows ?? [];
  const chosen = rows.find((row) => row.block === blocks[0]);
  assert.equal(Math.min(...rows.map((row) => distance(row.ratio))), distance(chosen?.ratio ?? Number.NaN));
});

test('draws on-demand and prefetched bytes together', () => {
  const input = fixtureRun();
  for (const curve of buildReportModel(input).curves) {
    const drawn = input.trials.find((trial) => trial.id === curve.trial)?.traffic.curve ?? [];
    assert.deepEqual(
      curve.points.slice(0, drawn.length),
      drawn.map(([atMs, onDemand, prefetch]) => [atMs, onDemand + prefetch]),
    );
  }
});

test('puts the ready mark on the curve', () => {
  for (const curve of buildReportModel(fixtureRun()).curves) {
    const onCurve = curve.points.findLast(([atMs]) => atMs <= (curve.readyMs ?? -1));
    assert.equal(curve.bytesAtReady, onCurve?.[1]);
    assert.ok((curve.points.at(-1)?.[0] ?? 0) >= (curve.readyMs ?? Infinity));
  }
});

test('counts what was not timed, with its reason, and never gives it a duration', () => {
  const model = buildReportModel(fixtureRun({ withTroubles: true }));
  assert.deepEqual(
    model.untimed.map((trial) => trial.outcome),
    ['failed', 'timed-out', 'invalid'],
  );
  assert.equal(model.trials.length, 15);
  for (const row of model.trials.filter((one) => one.outcome !== 'completed'))
    assert.ok(row.durations.every((cell) => cell.text === '–' && cell.errorText === undefined));
  assert.equal(model.proofStanding.text, '38 of 39 proofs held, 1 refuted');
});

test('shows nothing where nothing was measured when every trial failed', () => {
  const model = buildReportModel(fixtureRun({ allFailed: true }));
  assert.deepEqual([model.metrics, model.phases, model.distributions, model.curves], [[], [], [], []]);
  assert.equal(model.untimed.length, 12);
  assert.equal(model.proofStanding.text, 'nothing was proved');
});

test('carries no address and no secret of the run, in the raw lines either', () => {
  const text = JSON.stringify(buildReportModel(fixtureRun({ withTroubles: true })));
  assert.doesNotMatch(text, /10\.12\.0\.7|thisMustNeverBeSeen/u);
  assert.match(text, /401 Unauthorized from \[address 1\]/u);
});

test('writes the raw lines as JSON lines, one per trial', () => {
  const lines = buildReportModel(fixtureRun()).trialsJsonl.trimEnd().split('\n');
  assert.equal(lines.length, 12);
  assert.deepEqual(JSON.parse(lines[0] ?? ''), fixtureRun().trials[0]);
});

test('quotes the command so that a shell reads the same words', () => {
  const input = fixtureRun({ text: (plain) => (plain.endsWith('.yaml') ? "my $(bad) 'file'.yaml" : plain) });
  assert.equal(
    buildReportModel(input).command,
    `lazybench run 'my $(bad) '\\''file'\\''.yaml' --cluster embedded --seed 20261123`,
  );
});
