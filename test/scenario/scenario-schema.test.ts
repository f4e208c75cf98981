import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { knownKeysAt, schemaFileText } from '../../src/scenario/scenario-schema.ts';
import { suite } from '../support/suite.ts';

const test = suite('scenario schema');

test('the committed schema.json is what the source gives (npm run schema writes it)', () => {
  const committed = readFileSync(path.resolve(import.meta.dirname, '../../scenarios/schema.json'), 'utf8');
  assert.equal(committed, schemaFileText());
});

test('knows the keys of every level, through names that are free', () => {
  assert.ok(knownKeysAt([]).includes('pairs'));
  assert.deepEqual(knownKeysAt(['arms', 'whatever']), [
    'image',
    'runtimeClass',
    'expect',
    'convert',
    'prefetch',
  ]);
  assert.deepEqual(knownKeysAt(['nodes', 'eligibility', 0]), ['label', 'operator', 'values']);
  assert.deepEqual(knownKeysAt(['arms', 'a', 'prefetch']), ['list']);
  assert.deepEqual(knownKeysAt(['name', 'x']), []);
});
