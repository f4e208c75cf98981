import { execFileSync } from 'node:child_process';

/** A command of a comparison. */
export interface Contender {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Runs both commands in turn, after one round that does not count, and prints medians of wall time and their ratio. */
export function alternate(
  title: string,
  ours: Contender,
  theirs: Contender,
  rounds: number,
  goal: number,
): void {
  const times: Record<string, number[]> = { [ours.name]: [], [theirs.name]: [] };
  for (let round = 0; round <= rounds; round += 1)
    for (const { name, command } of round % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
      const [program, ...args] = command;
      const startedAt = performance.now();
      execFileSync(program, args, { stdio: 'ignore' });
      if (round > 0) times[name]?.push(performance.now() - startedAt);
    }
  const [own, other] = [median(times[ours.name] ?? []), median(times[theirs.name] ?? [])];
  console.log(title);
  for (const { name } of [ours, theirs])
    console.log(
      `  ${name}: median ${median(times[name] ?? []).toFixed(0)} ms (${(times[name] ?? []).map((ms) => ms.toFixed(0)).join(', ')})`,
    );
  console.log(
    `  ratio ${(own / other).toFixed(2)}, goal <= ${goal.toFixed(2)}: ${own / other <= goal ? 'reached' : 'MISSED'}`,
  );
}
