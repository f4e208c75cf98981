import type { AgentClient } from '../agent/client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { NodeFacts } from '../scenario/node-facts.ts';
import type { PlannedTrial } from '../scenario/plan.ts';
import type { Arm, Scenario } from '../scenario/scenario.ts';
import type { Clock } from '../units/clock.ts';
import type { MeterReader } from './meter-reader.ts';

/** What a trial is doing, for people who watch. */
export const trialPhases = [
  'evicting',
  'warming',
  'submitting',
  'scheduling',
  'pulling',
  'starting',
  'waiting for ready',
  'settling',
  'deleting',
] as const;
export type TrialPhase = (typeof trialPhases)[number];

/** Everything one trial needs. Nothing in it tells which lane this is. */
export interface TrialContext {
  readonly runId: string;
  readonly scenario: Scenario;
  readonly trial: PlannedTrial;
  readonly arm: Arm;
  readonly node: NodeFacts;
  /** Reference that the node pulls for an arm. */
  readonly imageOf: (arm: string) => string;
  readonly cluster: Cluster;
  readonly agent: AgentClient | undefined;
  readonly meter: MeterReader | undefined;
  readonly clock: Clock;
  readonly onPhase: (phase: TrialPhase) => void;
}
