import type { AgentClient } from '../agent/client.ts';
import { HarnessError } from '../errors/harness-error.ts';
import type { Mark, RawEvidence } from '../evidence/raw-evidence.ts';
import type { Clock } from '../units/clock.ts';

/** NTP's way: the sample with the smallest round trip bounds the offset best, and more samples find a smaller one. */
const clockSamples = 15;

type Counters = RawEvidence['counters'][number];
type ClockSample = RawEvidence['clock']['before'][number];

/**
 * Readings from the node during one trial. What the agent cannot give becomes a sentence in `missing`, and the trial
 * goes on: proofs are then missing, times are not.
 */
export class AgentReadings {
  readonly counters: Counters[] = [];
  readonly missing: string[] = [];
  readonly #agent: AgentClient | undefined;
  readonly #clock: Clock;

  constructor(agent: AgentClient | undefined, clock: Clock, nodeName: string) {
    this.#agent = agent;
    this.#clock = clock;
    if (agent === undefined) this.missing.push(`no agent on node ${nodeName}`);
  }

  async clock(signal: AbortSignal): Promise<readonly ClockSample[]> {
    const samples: ClockSample[] = [];
    await this.attempt('clock', signal, async (agent) => {
      for (let taken = 0; taken < clockSamples; taken += 1) {
        const sentNs = this.#clock.wallNs();
        const { atNs } = await agent.clock(signal);
        samples.push({ sentNs: String(sentNs), nodeNs: atNs, receivedNs: String(this.#clock.wallNs()) });
      }
    });
    return samples;
  }

  async count(mark: Mark, podUid: string | undefined, signal: AbortSignal): Promise<void> {
    await this.attempt(`counters (${mark})`, signal, async (agent) => {
      const requestedNs = String(this.#clock.wallNs());
      this.counters.push({ mark, requestedNs, ...(await agent.counters(podUid, signal)) });
    });
  }

  /** Asks the agent, when there is one; undefined, and a sentence, when it fails. */
  async attempt<T>(
    what: string,
    signal: AbortSignal,
    ask: (agent: AgentClient) => Promise<T>,
  ): Promise<T | undefined> {
    if (this.#agent === undefined) return undefined;
    try {
      return await ask(this.#agent);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof HarnessError)) throw error;
      this.missing.push(`${what}: ${error.message}`);
      return undefined;
    }
  }
}
