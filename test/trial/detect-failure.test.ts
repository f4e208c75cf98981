import assert from 'node:assert/strict';
import { detectFailure, type PodView } from '../../src/trial/detect-failure.ts';
import { suite } from '../support/suite.ts';

const test = suite('early failure');

const view = (
  change: Partial<PodView> & { status?: object; failed?: readonly [string, number][] },
): PodView => ({
  pod: { name: 'p', namespace: 'bench', uid: 'u' },
  events: (change.failed ?? []).map(([message, count], index) => ({
    event: {
      metadata: { name: `p.${String(index)}` },
      involvedObject: { uid: 'u' },
      reason: 'Failed',
      type: 'Warning',
      message,
      count,
    },
  })),
  statuses: change.status === undefined ? [] : [{ arrivedNs: '1', status: { ...change.status } }],
  isDeleted: false,
  isLogComplete: false,
  lastLines: [],
  ageMs: 1000,
  ...change,
});
const waiting = (reason: string, message: string) => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'workload', state: { waiting: { reason, message } } }],
});
const ended = (exitCode: number) => ({
  phase: 'Failed',
  containerStatuses: [{ name: 'workload', state: { terminated: { exitCode, reason: 'Error' } } }],
});
const unschedulable = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' }],
};

test('sees no failure in a pod that makes progress', () => {
  assert.equal(detectFailure(view({})), undefined);
  assert.equal(detectFailure(view({ status: waiting('ContainerCreating', '') })), undefined);
});

test('gives a pull that may pass three tries, and one that cannot pass none', () => {
  const pull = (words: string, count: number) =>
    detectFailure(
      view({
        status: waiting('ErrImagePull', words),
        failed: [[`Failed to pull image "a": ${words}`, count]],
      }),
    )?.reason;
  assert.equal(pull('connection reset by peer', 1), undefined);
  assert.equal(pull('connection reset by peer', 2), undefined);
  assert.equal(pull('connection reset by peer', 3), 'ErrImagePull');
  assert.equal(pull('not found', 1), 'ImageNotFound');
  assert.equal(pull('authorization failed', 1), 'ImageUnauthorized');
});

test('judges a program that ended only when its log was read to the end', () => {
  assert.equal(detectFailure(view({ status: ended(3) })), undefined);
  const failure = detectFailure(view({ status: ended(3), isLogComplete: true, lastLines: ['boom'] }));
  assert.equal(failure?.reason, 'CrashedBeforeReady');
  assert.match(failure.message, /code 3.*its last lines: boom$/u);
});

test('waits a while for the scheduler, then gives its words', () => {
  assert.equal(detectFailure(view({ status: unschedulable, ageMs: 14_000 })), undefined);
  assert.equal(detectFailure(view({ status: unschedulable, ageMs: 16_000 }))?.message, '0/1 nodes');
});

test('notices that someone else deleted the pod, or that the node refused it', () => {
  assert.equal(detectFailure(view({ isDeleted: true }))?.reason, 'Deleted');
  assert.deepEqual(
    detectFailure(
      view({ status: { phase: 'Failed', reason: 'UnexpectedAdmissionError', message: 'no GPU' } }),
    ),
    { reason: 'UnexpectedAdmissionError', message: 'no GPU' },
  );
});
