import assert from 'node:assert/strict';
import { parsePulledMessage } from '../../src/evidence/pulled-message.ts';
import { suite } from '../support/suite.ts';

const test = suite('pulled message');

const image = 'ghcr.io/acme/vllm:0.9';
const pulled = (
  pullMs: number | undefined,
  waitingMs: number | undefined,
  sizeBytes?: number,
): ReturnType<typeof parsePulledMessage> => ({ kind: 'pulled', image, pullMs, waitingMs, sizeBytes });

test('reads what kubelets from 1.19 to 1.35 write', () => {
  const variants: [string, ReturnType<typeof parsePulledMessage>][] = [
    [`Successfully pulled image "${image}"`, pulled(undefined, undefined)],
    [`Successfully pulled image "${image}" in 2.5s`, pulled(2500, undefined)],
    [`Successfully pulled image "${image}" in 890ms (900ms including waiting)`, pulled(890, 900)],
    [`Successfully pulled image "${image}" in 250us (1h2m3.5s including waiting)`, pulled(0.25, 3_723_500)],
    [
      `Successfully pulled image "${image}" in 1m27.88s (1m28s including waiting). Image size: 4123456789 bytes.`,
      pulled(87_880, 88_000, 4_123_456_789),
    ],
    [`Successfully pulled image "${image}" in 0s (0s including waiting)`, pulled(0, 0)],
    [`Container image "${image}" already present on machine`, { kind: 'already-present', image }],
    [
      `Container image "${image}" already present on machine and can be accessed by the pod`,
      { kind: 'already-present', image },
    ],
  ];
  for (const [text, expected] of variants) assert.deepEqual(parsePulledMessage(text), expected, text);
});

test('keeps nanoseconds of durations that are not cut to milliseconds', () => {
  const message = parsePulledMessage(
    `Successfully pulled image "${image}" in 873.420598ms (873.428863ms including waiting)`,
  );
  assert.ok(message?.kind === 'pulled');
  assert.equal(message.pullMs, 873.420598);
  assert.equal(message.waitingMs, 873.428863);
});

test('reads both ways to write µs, and an image name that Go quoted', () => {
  for (const unit of ['µs', 'μs', 'us']) {
    const message = parsePulledMessage(`Successfully pulled image "a\\"b" in 500${unit}`);
    assert.ok(message?.kind === 'pulled');
    assert.equal(message.pullMs, 0.5);
    assert.equal(message.image, 'a"b');
  }
});

test('knows no other text', () => {
  for (const text of ['', `Pulling image "${image}"`, 'Back-off pulling image'])
    assert.equal(parsePulledMessage(text), undefined);
});
