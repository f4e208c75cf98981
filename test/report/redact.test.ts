import assert from 'node:assert/strict';
import { createRedactor } from '../../src/report/redact.ts';
import { suite } from '../support/suite.ts';

const test = suite('redact');
const redact = (text: string): string => createRedactor().text(text);

test('removes credentials by their name, whatever the notation', () => {
  for (const text of [
    'HF_TOKEN=hunter2x',
    'export AWS_SECRET_ACCESS_KEY="hunter2x y"',
    'env: { DB_PASSWORD: hunter2x }',
    '{"api_key": "hunter2x"}',
    'Authorization: Bearer hunter2x',
    '--token=hunter2x',
    '--registry-password hunter2x',
    'x-lazybench-token: hunter2x',
  ])
    assert.doesNotMatch(redact(text), /hunter2x/u, text);
});

test('removes credentials by their shape', () => {
  for (const secret of [
    `ghp_${'a1'.repeat(18)}`,
    `hf_${'Zk'.repeat(16)}`,
    'AKIAIOSFODNN7EXAMPLE',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N',
  ])
    assert.doesNotMatch(redact(`failed: ${secret} was refused`), new RegExp(secret.slice(4, 16), 'u'));
  assert.equal(redact('https://bob:hunter2@registry.example/v2/'), 'https://[redacted]@registry.example/v2/');
});

test('shortens home folders to ~', () => {
  assert.equal(redact('/home/alice/bench/a.yaml'), '~/bench/a.yaml');
  assert.equal(redact('in /Users/alice: no'), 'in ~: no');
  assert.equal(redact('/root/.docker/config.json'), '~/.docker/config.json');
  assert.equal(redact('/srv/rootfs/home'), '/srv/rootfs/home');
});

test('names each address the same everywhere, and keeps loopback', () => {
  const { text } = createRedactor();
  assert.equal(text('10.0.3.17:5000 and 10.0.3.18'), '[address 1]:5000 and [address 2]');
  assert.equal(text('ip-10-0-3-17.eu-west-1.compute.internal'), '[address 1].eu-west-1.compute.internal');
  assert.equal(text('127.0.0.1:5000/quickstart'), '127.0.0.1:5000/quickstart');
  assert.equal(text('fe80::1ff:fe23:4567:890a'), '[address 3]');
});

test('leaves digests, references, instants and versions alone', () => {
  for (const text of [
    `ghcr.io/acme/vllm:0.9@sha256:${'ab'.repeat(32)}`,
    '2026-11-23T23:41:07.123Z',
    'kernel 6.1.0-32-amd64, containerd 1.7.27, driver 535.104.05',
    'a tokenizer.json of the secretary',
  ])
    assert.equal(redact(text), text);
});

test('removes the values of keys that name a secret, at any depth', () => {
  assert.deepEqual(
    createRedactor().json({ env: { HF_TOKEN: 'x', TF_CPP_MIN_LOG_LEVEL: '3' }, list: [{ password: 'y' }] }),
    {
      env: { HF_TOKEN: '[redacted]', TF_CPP_MIN_LOG_LEVEL: '3' },
      list: [{ password: '[redacted]' }],
    },
  );
});

test('spells out characters that move a cursor or turn the writing direction', () => {
  assert.equal(redact('a\u001b[31mb\u202ec\td'), 'a\\u{001b}[31mb\\u{202e}c\td');
});
