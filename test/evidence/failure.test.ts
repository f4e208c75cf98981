import assert from 'node:assert/strict';
import { recogniseFailure } from '../../src/evidence/failure.ts';
import type { RawEvidence } from '../../src/evidence/raw-evidence.ts';
import { suite } from '../support/suite.ts';
import { kubeletEvent, sampleEvidence, submitNs } from './sample-evidence.ts';

const test = suite('failure');

const withEvent = (reason: string, message: string): RawEvidence => ({
  ...sampleEvidence(),
  statuses: [],
  events: [{ event: kubeletEvent(reason, message, submitNs) }],
});
const withStatus = (status: Record<string, unknown>): RawEvidence => ({
  ...sampleEvidence(),
  events: [],
  statuses: [{ arrivedNs: '1', status }],
});
const waiting = (reason: string, message: string): Record<string, unknown> => ({
  containerStatuses: [{ state: { waiting: { reason, message } } }],
});
const terminated = (state: Record<string, unknown>): Record<string, unknown> => ({
  containerStatuses: [{ state: { terminated: state } }],
});
const unschedulable = (message: string): Record<string, unknown> => ({
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
});

const cases: [title: string, raw: RawEvidence, reason: string, hint: RegExp, isFinal: boolean][] = [
  [
    'a Nydus layer that nothing on the node can unpack',
    withEvent(
      'Failed',
      'Failed to pull image "x": rpc error: code = Unknown desc = failed to pull and unpack image: no processor for media-type: unknown',
    ),
    'NoProcessorForMediaType',
    /runtimeClass/u,
    true,
  ],
  [
    'an image that is not there',
    withEvent('Failed', 'Failed to pull image "x": rpc error: code = NotFound desc = x: not found'),
    'ImageNotFound',
    /name and tag/u,
    true,
  ],
  [
    'an image that may not be read',
    withEvent('Failed', 'Failed to pull image "x": failed to authorize: 401 Unauthorized'),
    'ImageUnauthorized',
    /pull secret/u,
    true,
  ],
  [
    'a registry that is tired',
    withEvent('Failed', 'Failed to pull image "x": 429 Too Many Requests - toomanyrequests'),
    'RegistryRateLimited',
    /mirror/u,
    true,
  ],
  [
    'any other failed pull, in the registry’s words',
    withStatus(waiting('ImagePullBackOff', 'Back-off pulling image "x": ErrImagePull: connection refused')),
    'ErrImagePull',
    /own/u,
    true,
  ],
  [
    'GPUs that are taken',
    withStatus(unschedulable('0/3 nodes are available: 3 Insufficient nvidia.com/gpu.')),
    'Unschedulable',
    /no node has enough nvidia\.com\/gpu/u,
    false,
  ],
  [
    'a taint and a selector together',
    withStatus(
      unschedulable(
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint {gpu: true}.",
      ),
    ),
    'Unschedulable',
    /taint keeps it away: gpu: true; nodes\.selector/u,
    false,
  ],
  [
    'a program that ended before its sign',
    withStatus(terminated({ exitCode: 3, reason: 'Error' })),
    'CrashedBeforeReady',
    /last lines/u,
    true,
  ],
  [
    'a program killed for memory',
    withStatus(terminated({ exitCode: 137, reason: 'OOMKilled' })),
    'OOMKilled',
    /memory limit/u,
    true,
  ],
  [
    'a command that is not in the image',
    withStatus(waiting('CreateContainerError', 'exec: "/serve": no such file')),
    'CreateContainerError',
    /command/u,
    true,
  ],
  [
    'a snapshotter that cannot mount',
    withStatus(waiting('CreateContainerError', 'failed to prepare snapshot: nydusd died')),
    'CreateContainerError',
    /snapshotter/u,
    true,
  ],
];

for (const [title, raw, reason, hint, isFinal] of cases)
  test(`recognises ${title}`, () => {
    const failure = recogniseFailure(raw);
    assert.equal(failure?.reason, reason);
    assert.match(failure.hint, hint);
    assert.equal(failure.isFinal, isFinal);
    assert.notEqual(failure.message, '');
  });

test('sees no failure in a pod that does well', () => {
  assert.equal(recogniseFailure(sampleEvidence()), undefined);
});
