import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers that its seed decides wholly. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform whole number in [low, high], both included. */
  integer(low: number, high: number): number;
  /** Standard normal deviate. */
  normal(): number;
}

// A small seed leaves most of the generator's 128 bits of state zero; this many draws fill it.
const warmUpDraws = 64;

/** Random numbers from `seed` (a 32-bit integer): xoroshiro128+ of pure-rand, normals by Box & Muller (1958). */
export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed | 0);
  for (let draw = 0; draw < warmUpDraws; draw += 1) generator.next();
  const uniform = (): number => uniformFloat64(generator);
  return {
    uniform,
    integer: (low, high) => uniformInt(generator, low, high),
    // 1 - u lies in (0, 1], so the logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
