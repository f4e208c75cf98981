import { compareArms } from '../decision/compare-arms.ts';
import type { Trial } from '../evidence/trial.ts';
import { formatInterval, formatRatio } from '../report/figures.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SuiteEvent } from '../suite/suite-event.ts';
import { formatDurationMs } from '../units/duration.ts';

/** What is known about a run while it runs: fed with events, read as lines. No clock of its own. */
export class ProgressState {
  readonly #scenario: Pick<Scenario, 'arms' | 'baseline'>;
  readonly #trials: Trial[] = [];
  #note = 'starting';
  #total = 0;
  #current: { readonly id: string; readonly node: string; readonly startedMs: number } | undefined;
  #phase = '';
  #runStartedMs: number | undefined;
  #effects: readonly string[] = [];

  constructor(scenario: Pick<Scenario, 'arms' | 'baseline'>) {
    this.#scenario = scenario;
  }

  /** What is being prepared. */
  note(text: string): void {
    this.#note = text;
  }

  /** Takes an event in. Returns the lines that a log should have about it, without times. */
  take(event: SuiteEvent, nowMs: number): readonly string[] {
    switch (event.kind) {
      case 'run-started':
        this.#total = event.trials;
        this.#runStartedMs = nowMs;
        return [`${event.trials} trials on ${event.nodes} node(s) into ${event.runPath}`];
      case 'trial-started':
        this.#current = { id: event.trial.id, node: event.node, startedMs: nowMs };
        this.#phase = '';
        return [];
      case 'phase':
        this.#phase = event.phase;
        return [];
      case 'trial-ended': {
        this.#trials.push(event.trial);
        this.#current = undefined;
        this.#effects = this.#estimate();
        const effects = this.#effects.length === 0 ? '' : ` · ${this.#effects.join(' · ')}`;
        return [
          `[${event.index + 1}/${this.#total}] ${event.trial.id} on ${event.trial.node}: ${outcome(event.trial)}${effects}`,
        ];
      }
      case 'run-ended':
        return [`${event.end.how}: ${event.end.why}`];
    }
  }

  /** The live view: what runs now, and how far everything is. */
  lines(nowMs: number): readonly string[] {
    if (this.#runStartedMs === undefined) return [this.#note];
    const done = this.#trials.length;
    const elapsedMs = nowMs - this.#runStartedMs;
    const leftMs = done === 0 ? undefined : (elapsedMs / done) * (this.#total - done);
    const current =
      this.#current === undefined
        ? 'between trials'
        : `${this.#current.id} on ${this.#current.node}: ${this.#phase} ${formatDurationMs(nowMs - this.#current.startedMs)}`;
    const left = leftMs === undefined ? '' : ` · about ${formatDurationMs(leftMs)} left`;
    const last = this.#trials.at(-1);
    return [
      `${bar(done, this.#total)} ${done}/${this.#total} trials · ${formatDurationMs(elapsedMs)}${left}`,
      current,
      ...(last === undefined ? [] : [`last: ${last.id}: ${outcome(last)}`]),
      ...(this.#effects.length === 0 ? [] : [`time to ready so far: ${this.#effects.join(' · ')}`]),
    ];
  }

  #estimate(): readonly string[] {
    const { baseline, arms } = this.#scenario;
    return arms.flatMap(({ name }) => {
      if (name === baseline) return [];
      const { comparison } = compareArms(this.#trials, {
        baseline,
        arm: name,
        metric: 'timeToReady',
        margin: 0.05,
        confidence: 0.95,
      });
      const { effect } = comparison;
      if (effect === undefined || effect.pairs === 0) return [];
      const interval = effect.interval === undefined ? '' : ` ${formatInterval(effect)}`;
      return [`${name} ÷ ${baseline} ${formatRatio(effect.ratio)}${interval} (${effect.pairs} pairs)`];
    });
  }
}

function outcome(trial: Trial): string {
  switch (trial.outcome) {
    case 'completed': {
      const ready = trial.durations.timeToReady;
      return ready === undefined ? 'completed' : `ready after ${formatDurationMs(ready.durationMs)}`;
    }
    case 'failed':
      return `failed: ${trial.reason}: ${trial.message.split('\n')[0] ?? ''}`;
    case 'timed-out':
      return `timed out after ${formatDurationMs(trial.afterMs)}`;
    case 'invalid':
      return `invalid: ${trial.because.map(({ because }) => because).join('; ')}`;
  }
}

const barWidth = 20;
const bar = (done: number, total: number): string => {
  const filled = total === 0 ? 0 : Math.round((done / total) * barWidth);
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
};
