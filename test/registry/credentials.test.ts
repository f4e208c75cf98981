import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RunCommand } from '../../src/image/run-command.ts';
import { dockerConfigCredentials } from '../../src/registry/client/credentials.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';

const test = suite('credentials');
const write = (file: string, json: unknown): void => {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(json));
};
const auth = (pair: string): string => Buffer.from(pair).toString('base64');

test('reads docker login, identity tokens and docker.io under its old address', async () => {
  await using home = await scratchDirectory();
  write(path.join(home.path, '.docker/config.json'), {
    auths: {
      'https://index.docker.io/v1/': { auth: auth('ann:a:b') },
      'localhost:5000': { identitytoken: 'refresh' },
    },
  });
  const find = dockerConfigCredentials({ environment: { HOME: home.path } });
  assert.deepEqual(await find('docker.io'), { kind: 'basic', username: 'ann', password: 'a:b' });
  assert.deepEqual(await find('localhost:5000'), { kind: 'identity-token', token: 'refresh' });
  assert.equal(await find('ghcr.io'), undefined);
});

test('reads containers/auth.json of the runtime directory, and survives files that are no JSON', async () => {
  await using home = await scratchDirectory();
  mkdirSync(path.join(home.path, '.docker'));
  writeFileSync(path.join(home.path, '.docker/config.json'), '{ not json');
  write(path.join(home.path, 'run/containers/auth.json'), { auths: { 'ghcr.io': { auth: auth('bob:pw') } } });
  const environment = { HOME: home.path, XDG_RUNTIME_DIR: path.join(home.path, 'run') };
  assert.deepEqual(await dockerConfigCredentials({ environment })('ghcr.io'), {
    kind: 'basic',
    username: 'bob',
    password: 'pw',
  });
});

test('asks credential helpers by the registry, and falls back where they know nothing', async () => {
  await using home = await scratchDirectory();
  write(path.join(home.path, '.docker/config.json'), {
    credHelpers: { 'ecr.example': 'ecr-login' },
    credsStore: 'store',
    auths: { 'other.example': { auth: auth('eve:pw') }, 'evil.example': {} },
  });
  const asked: string[] = [];
  const runCommand: RunCommand = (command, options) => {
    asked.push(`${command.join(' ')} < ${options?.input ?? ''}`);
    const isKnown = command[0] === 'docker-credential-ecr-login';
    const stdout = isKnown ? JSON.stringify({ Username: '<token>', Secret: 's3' }) : 'credentials not found';
    return Promise.resolve({ exitCode: isKnown ? 0 : 1, stdout, stderr: '' });
  };
  const find = dockerConfigCredentials({ environment: { HOME: home.path }, runCommand });
  assert.deepEqual(await find('ecr.example'), { kind: 'identity-token', token: 's3' });
  assert.deepEqual(await find('other.example'), { kind: 'basic', username: 'eve', password: 'pw' });
  assert.equal(asked[0], 'docker-credential-ecr-login get < ecr.example');
  assert.equal(asked[1], 'docker-credential-store get < other.example');
});
