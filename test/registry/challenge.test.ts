import assert from 'node:assert/strict';
import { parseChallenges } from '../../src/registry/client/challenge.ts';
import { suite } from '../support/suite.ts';

const test = suite('challenge');
const plain = (header: string): [string, Record<string, string>][] =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test('reads one challenge, in any case, with commas and quotes in quoted values', () => {
  assert.deepEqual(plain('Bearer realm="https://a/token",service="s",scope="repository:a/b:pull,push"'), [
    ['bearer', { realm: 'https://a/token', service: 's', scope: 'repository:a/b:pull,push' }],
  ]);
  assert.deepEqual(plain('BASIC realm="say \\"hi\\", then go"'), [['basic', { realm: 'say "hi", then go' }]]);
  assert.deepEqual(plain('Basic Realm=plain , charset = "UTF-8"'), [
    ['basic', { realm: 'plain', charset: 'UTF-8' }],
  ]);
});

test('reads several challenges, with or without parameters or a bare token', () => {
  assert.deepEqual(plain('Negotiate, Basic realm="x", Bearer realm="y",service=z'), [
    ['negotiate', {}],
    ['basic', { realm: 'x' }],
    ['bearer', { realm: 'y', service: 'z' }],
  ]);
  assert.deepEqual(plain('NTLM TlRMTVNTUAAB==, Basic realm="x"'), [
    ['ntlm', {}],
    ['basic', { realm: 'x' }],
  ]);
});

test('ends at what it cannot read', () => {
  for (const text of ['', ' , ', '"', '=x', 'Basic realm="open']) assert.ok(plain(text).length <= 1, text);
});
