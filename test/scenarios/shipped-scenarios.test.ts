import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseTrace } from '../../src/image/read-trace.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import { suite } from '../support/suite.ts';

const test = suite('shipped scenarios');

const folder = path.join(import.meta.dirname, '../../scenarios');
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test('all parse, and are named as their files', () => {
  assert.ok(names.includes('quickstart.yaml') && names.includes('ci-debian.yaml'));
  for (const name of names) assert.equal(parseScenario(read(name), name).name, path.basename(name, '.yaml'));
});

test('have the traces they name, unless something makes those first', () => {
  for (const name of names) {
    const { trace } = parseScenario(read(name), name).workload;
    if (trace === undefined || trace === 'all-files' || trace.startsWith('../.cache/')) continue;
    const { steps } = parseTrace(read(trace), trace);
    assert.ok(
      steps.some((step) => step.kind === 'log' && step.line.startsWith('ready')),
      trace,
    );
  }
});

test('give the exact interval enough pairs', () => {
  for (const name of names) assert.ok(parseScenario(read(name), name).pairs.min >= 6, name);
});
