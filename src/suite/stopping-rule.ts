import type { Trial } from '../evidence/trial.ts';
import type { Scenario } from '../scenario/scenario.ts';

/**
 * Asked after every complete block from `pairs.min` on, when the scenario has a target. A sentence ends the run and is
 * recorded as the reason; undefined goes on.
 */
export type StoppingRule = (scenario: Scenario, trials: readonly Trial[]) => string | undefined;

/** Never stops early: looking at an interval after every pair needs a rule whose coverage was shown. */
export const runToTheEnd: StoppingRule = () => undefined;
