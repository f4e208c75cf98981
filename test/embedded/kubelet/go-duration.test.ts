import assert from 'node:assert/strict';
import { goDuration } from '../../../src/embedded/kubelet/go-duration.ts';
import { suite } from '../../support/suite.ts';

const test = suite('go-duration');

test('prints what Go prints for a duration cut to milliseconds', () => {
  const cases: readonly (readonly [bigint, string])[] = [
    [999_999n, '0s'],
    [890_400_000n, '890ms'],
    [1_000_000_000n, '1s'],
    [27_880_000_000n, '27.88s'],
    [87_880_000_000n, '1m27.88s'],
    [3_600_000_000_000n, '1h0m0s'],
  ];
  for (const [durationNs, text] of cases) assert.equal(goDuration(durationNs), text);
});
