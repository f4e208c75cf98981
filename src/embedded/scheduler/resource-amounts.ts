import type { Pod } from '../api/pod.ts';
import { parseQuantityMilli } from '../api/quantity.ts';

/** Resource name → amount in thousandths (cpu 1 = 1000, memory 1 byte = 1000, one pod = 1000). */
export type ResourceAmounts = ReadonlyMap<string, bigint>;

/** Amounts of quantities as texts; what is no quantity counts as zero. */
export const readAmounts = (quantities: Readonly<Record<string, string>>): ResourceAmounts =>
  new Map(Object.entries(quantities).map(([name, text]) => [name, parseQuantityMilli(text) ?? 0n]));

/** The sum. */
export function addAmounts(parts: readonly ResourceAmounts[]): ResourceAmounts {
  const sum = new Map<string, bigint>();
  for (const part of parts) for (const [name, amount] of part) sum.set(name, (sum.get(name) ?? 0n) + amount);
  return sum;
}

/** What a pod takes of its node: the requests of its containers, and one of the node's `pods`. */
export const podAmounts = (pod: Pod): ResourceAmounts =>
  addAmounts([
    new Map([['pods', 1000n]]),
    ...pod.spec.containers.map((container) => readAmounts(container.resources.requests)),
  ]);
