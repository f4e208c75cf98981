import assert from 'node:assert/strict';
import fc from 'fast-check';
import { makePlan } from '../../src/scenario/make-plan.ts';
import { suite } from '../support/suite.ts';

const test = suite('plan');

const inputs = fc.record({
  arms: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 2, maxLength: 5 }),
  nodeCount: fc.integer({ min: 1, max: 4 }),
  blocks: fc.integer({ min: 1, max: 60 }),
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
});

test('the same input gives the same plan, and a longer one starts the same', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      assert.deepEqual(makePlan(input), makePlan(input));
      assert.deepEqual(makePlan({ ...input, blocks: input.blocks + 7 }).blocks.slice(0, input.blocks), [
        ...makePlan(input).blocks,
      ]);
    }),
  );
});

test('every block holds every arm once, and no trial id comes twice', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const { blocks } = makePlan(input);
      for (const block of blocks)
        assert.deepEqual(block.trials.map(({ arm }) => arm).toSorted(), input.arms.toSorted());
      const ids = blocks.flatMap(({ trials }) => trials.map(({ id }) => id));
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(ids.every((id) => /^[a-z0-9-]+$/u.test(id)));
    }),
  );
});

test('on every node, whenever it stops, no arm has come before another more than once too often', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const { blocks } = makePlan(input);
      for (let node = 0; node < input.nodeCount; node += 1) {
        const own = blocks.filter(({ nodeIndex }) => nodeIndex === node);
        for (const one of input.arms)
          for (const other of input.arms.filter((arm) => arm !== one)) {
            const order = (arms: readonly string[]) => (arms.indexOf(one) < arms.indexOf(other) ? 1 : -1);
            const lead = own.reduce((sum, { trials }) => sum + order(trials.map(({ arm }) => arm)), 0);
            assert.ok(Math.abs(lead) <= 1, `${one} before ${other}: ${lead}`);
          }
      }
    }),
  );
});

test('different seeds and different nodes draw different orders', () => {
  const orders = (seed: number, node: number) =>
    makePlan({ arms: ['a', 'b'], nodeCount: 2, blocks: 64, seed })
      .blocks.filter(({ nodeIndex }) => nodeIndex === node)
      .map(({ trials }) => trials.map(({ arm }) => arm).join(''))
      .join(' ');
  assert.notEqual(orders(1, 0), orders(2, 0));
  assert.notEqual(orders(1, 0), orders(1, 1));
});
