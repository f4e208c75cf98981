import type { Trial } from '../evidence/trial.ts';
import type { RunEnd } from '../results/run-record.ts';
import type { PlannedTrial } from '../scenario/plan.ts';
import type { TrialPhase } from '../trial/trial-context.ts';

/** What happens during a run, for whoever shows it. */
export type SuiteEvent =
  | {
      readonly kind: 'run-started';
      readonly runPath: string;
      readonly trials: number;
      readonly nodes: number;
    }
  | {
      readonly kind: 'trial-started';
      readonly trial: PlannedTrial;
      readonly node: string;
      /** 0-based place in the run. */
      readonly index: number;
    }
  | { readonly kind: 'phase'; readonly trial: PlannedTrial; readonly phase: TrialPhase }
  | { readonly kind: 'trial-ended'; readonly trial: Trial; readonly index: number }
  | { readonly kind: 'run-ended'; readonly end: RunEnd };
