import path from 'node:path';
import type { CommandContext } from './console-streams.ts';
import { packageRoot } from './package-root.ts';
import { readScenario, type ScenarioOverrides } from './read-scenario.ts';
import { runScenario } from './run-scenario.ts';

/** `lazybench quickstart`: the scenario that comes with lazybench, on the embedded cluster. */
export async function quickstart(
  options: ScenarioOverrides & {
    readonly out: string;
    readonly format: 'text' | 'json';
    readonly quiet?: true | undefined;
  },
  context: CommandContext,
): Promise<number> {
  const file = path.join(packageRoot(), 'scenarios/quickstart.yaml');
  return runScenario(await readScenario(file, options), { ...options, cluster: 'embedded' }, context);
}
