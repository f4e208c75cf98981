import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { HarnessError } from '../errors/harness-error.ts';
import { parseScenario } from '../scenario/parse-scenario.ts';
import { scenarioWarnings } from '../scenario/scenario-warnings.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** A scenario with its file. */
export interface ReadScenario {
  readonly scenario: Scenario;
  /** The file, byte for byte. */
  readonly text: string;
  /** Folder that relative paths in the scenario start from. */
  readonly folder: string;
  readonly warnings: readonly string[];
}

/** What the command line may change in a scenario. */
export interface ScenarioOverrides {
  readonly seed?: number | undefined;
  readonly pairs?: number | undefined;
}

/** Reads and parses a scenario file. Throws SCENARIO_UNREADABLE or SCENARIO_INVALID. */
export async function readScenario(file: string, overrides: ScenarioOverrides): Promise<ReadScenario> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const why =
      reason === 'ENOENT' ? 'there is no such file' : reason === 'EISDIR' ? 'it is a directory' : reason;
    throw new HarnessError('SCENARIO_UNREADABLE', `cannot read the scenario ${file}: ${why}`, {
      cause: error,
    });
  }
  const scenario = withOverrides(parseScenario(text, file), overrides);
  return { scenario, text, folder: path.dirname(path.resolve(file)), warnings: scenarioWarnings(scenario) };
}

/** `--pairs` means exactly so many: no target then. */
export const withOverrides = (scenario: Scenario, { seed, pairs }: ScenarioOverrides): Scenario => ({
  ...scenario,
  ...(seed === undefined ? {} : { seed }),
  ...(pairs === undefined ? {} : { pairs: { min: pairs, max: pairs, target: undefined } }),
});
