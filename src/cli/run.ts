import type { CommandContext } from './console-streams.ts';
import { readScenario, type ScenarioOverrides } from './read-scenario.ts';
import { runScenario, type RunOptions } from './run-scenario.ts';

/** `lazybench run SCENARIO` */
export async function run(
  file: string,
  options: RunOptions & ScenarioOverrides,
  context: CommandContext,
): Promise<number> {
  return runScenario(await readScenario(file, options), options, context);
}
