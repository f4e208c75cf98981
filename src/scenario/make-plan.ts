import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Block, Plan } from './plan.ts';

/** What a plan is made from. */
export interface PlanInput {
  readonly arms: readonly string[];
  /** How many nodes were chosen; blocks go round them. */
  readonly nodeCount: number;
  /** Blocks in all: every block gives one pair per arm other than the baseline. */
  readonly blocks: number;
  readonly seed: number;
}

/**
 * Draws the schedule. Block after block goes to the next node. On each node blocks come in couples of one order and
 * its reverse, which of them first by lot: so after every couple each arm has come before each other arm equally
 * often (AB/BA for two arms), wherever the run stops. Over as many couples as there are arms every arm has also
 * been in every position equally often (rotations of one drawn order).
 */
export function makePlan(input: PlanInput): Plan {
  const orders = Array.from({ length: input.nodeCount }, (_, nodeIndex) =>
    drawOrders(input.arms, input.seed, nodeIndex),
  );
  const blocks: Block[] = [];
  for (let index = 0; index < input.blocks; index += 1) {
    const nodeIndex = index % input.nodeCount;
    const order = orders[nodeIndex]?.next().value ?? [];
    blocks.push({
      index,
      nodeIndex,
      trials: order.map((arm, position) => ({
        id: `b${String(index).padStart(2, '0')}-n${nodeIndex}-${arm}`,
        arm,
        block: index,
        position,
      })),
    });
  }
  return { seed: input.seed, blocks };
}

/** Endless orders for one node. Each node has its own stretch of the generator's sequence (a jump apart). */
function* drawOrders(arms: readonly string[], seed: number, nodeIndex: number): Generator<string[], never> {
  const random = xoroshiro128plus(seed | 0);
  for (let jump = 0; jump < nodeIndex; jump += 1) random.jump();
  const shuffle = <T>(items: readonly T[]): T[] => {
    const rest = [...items];
    const drawn: T[] = [];
    while (rest.length > 0) drawn.push(...rest.splice(uniformInt(random, 0, rest.length - 1), 1));
    return drawn;
  };
  for (;;) {
    const base = shuffle(arms);
    for (const turn of shuffle(base.map((_, index) => index))) {
      const order = [...base.slice(turn), ...base.slice(0, turn)];
      yield* shuffle([order, order.toReversed()]);
    }
  }
}
