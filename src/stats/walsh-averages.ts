/** How many Walsh averages (means of two values, each value with itself included) a sample of `n` has. */
export const walshCount = (n: number): number => (n * (n + 1)) / 2;

/**
 * The `k`-th smallest (1-based) of the n(n+1)/2 Walsh averages of a sorted sample, without making them all: halving the
 * range of values, counting in O(n) at each step how many averages lie below (after Monahan, "Algorithm 616", 1984).
 */
export function kthWalshAverage(sorted: readonly number[], k: number): number {
  let below = (sorted[0] ?? Number.NaN) - 1;
  let atLeastK = sorted.at(-1) ?? Number.NaN;
  for (let step = 0; step < 64; step += 1) {
    const middle = below + (atLeastK - below) / 2;
    if (middle <= below || middle >= atLeastK) break;
    if (scan(sorted, middle).count >= k) atLeastK = middle;
    else below = middle;
  }
  return scan(sorted, atLeastK).largest;
}

/** How many Walsh averages are <= `limit`, and the largest of those. Two pointers walk towards each other. */
const scan = (sorted: readonly number[], limit: number): { count: number; largest: number } => {
  let count = 0;
  let largest = -Infinity;
  let high = sorted.length - 1;
  for (const [low, value] of sorted.entries()) {
    while (high >= low && average(value, sorted[high] ?? 0) > limit) high -= 1;
    if (high < low) break;
    count += high - low + 1;
    largest = Math.max(largest, average(value, sorted[high] ?? 0));
  }
  return { count, largest };
};

const average = (a: number, b: number): number => (a + b) / 2;
