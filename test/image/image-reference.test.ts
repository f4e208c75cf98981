import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HarnessError } from '../../src/errors/harness-error.ts';
import {
  formatImageReference,
  parseImageLocation,
  parseImageReference,
} from '../../src/image/image-reference.ts';
import { suite } from '../support/suite.ts';

const test = suite('image reference');
const digest = `sha256:${'a1'.repeat(32)}`;

test('follows the rules of docker.io', () => {
  for (const [text, full] of [
    ['debian', 'docker.io/library/debian:latest'],
    ['debian:12', 'docker.io/library/debian:12'],
    ['acme/app', 'docker.io/acme/app:latest'],
    ['docker.io/debian', 'docker.io/library/debian:latest'],
    ['index.docker.io/acme/app:1', 'docker.io/acme/app:1'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/a/b/c:v1', 'localhost:5000/a/b/c:v1'],
    ['[::1]:5000/a:v1', '[::1]:5000/a:v1'],
    ['ghcr.io/acme/vllm:0.9-nydus', 'ghcr.io/acme/vllm:0.9-nydus'],
    [`ghcr.io/acme/vllm@${digest}`, `ghcr.io/acme/vllm@${digest}`],
    [`ghcr.io/acme/vllm:1@${digest}`, `ghcr.io/acme/vllm:1@${digest}`],
  ] as const)
    assert.equal(formatImageReference(parseImageReference(text)), full, text);
});

test('refuses what is no reference, with the reason', () => {
  for (const [text, why] of [
    ['', /empty/u],
    ['https://ghcr.io/a', /scheme/u],
    ['ghcr.io/Acme/app', /lower case/u],
    ['a:b:c', /tag/u],
    ['a@sha256:12', /64 hexadecimal/u],
    ['a b', /malformed/u],
    ['a//b', /malformed/u],
    ['../etc', /host name|malformed/u],
  ] as const)
    assert.throws(
      () => parseImageReference(text),
      (error) =>
        error instanceof HarnessError && error.code === 'IMAGE_REFERENCE_INVALID' && why.test(error.message),
      text,
    );
});

test('a parsed reference written in full parses to itself', () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/u);
  const registry = fc.constantFrom('docker.io', 'localhost:5000', 'ghcr.io', 'a.b-c.example:443');
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][\w.-]{0,10}$/u), { nil: undefined });
  fc.assert(
    fc.property(registry, fc.array(part, { minLength: 2, maxLength: 4 }), tag, (host, parts, named) => {
      const text = `${host}/${parts.join('/')}${named === undefined ? '' : `:${named}`}`;
      const reference = parseImageReference(text);
      assert.deepEqual(parseImageReference(formatImageReference(reference)), reference);
      assert.equal(reference.registry, host);
    }),
  );
});

test('tells the transports apart', () => {
  assert.deepEqual(parseImageLocation('oci:/x/y:tag'), { kind: 'oci', directory: '/x/y', tag: 'tag' });
  assert.deepEqual(parseImageLocation('oci:dir'), { kind: 'oci', directory: 'dir' });
  assert.deepEqual(parseImageLocation('oci-archive:f.tar'), { kind: 'oci-archive', file: 'f.tar' });
  assert.deepEqual(parseImageLocation('docker-archive:f.tar:acme/app:1'), {
    kind: 'docker-archive',
    file: 'f.tar',
    tag: 'acme/app:1',
  });
  assert.equal(parseImageLocation('docker://debian').kind, 'registry');
  assert.throws(() => parseImageLocation('oci:'), /needs a path/u);
});
