import { stripVTControlCharacters, styleText } from 'node:util';
import { fit } from '../report/text-table.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SuiteEvent } from '../suite/suite-event.ts';
import type { Clock } from '../units/clock.ts';
import type { OutputStream } from './console-streams.ts';
import { ProgressState } from './progress-state.ts';

/** Shows how far a run is. `close` leaves the stream as it should stay. */
export interface ProgressReporter extends Disposable {
  /** Something is prepared before the first trial. */
  note(text: string): void;
  onEvent(event: SuiteEvent): void;
}

export interface ProgressOptions {
  readonly stream: OutputStream;
  readonly clock: Clock;
  readonly scenario: Pick<Scenario, 'arms' | 'baseline'>;
  readonly isQuiet: boolean;
  readonly isColorAllowed: boolean;
}

/** A live view at a terminal, lines with a time elsewhere (logs of CI), nothing when quiet. */
export function progressReporter(options: ProgressOptions): ProgressReporter {
  if (options.isQuiet)
    return { note: () => undefined, onEvent: () => undefined, [Symbol.dispose]: () => undefined };
  return options.stream.isTTY ? liveProgress(options) : lineProgress(options);
}

const nowMs = (clock: Clock): number => Number(clock.monotonicNs() / 1_000_000n);

function lineProgress({ stream, clock, scenario }: ProgressOptions): ProgressReporter {
  const state = new ProgressState(scenario);
  let lastNote = '';
  const write = (text: string): void => {
    const time = new Date(Number(clock.wallNs() / 1_000_000n)).toISOString().slice(11, 19);
    stream.write(`${time} ${stripVTControlCharacters(text)}\n`);
  };
  return {
    note: (text) => {
      // Percentages are for live views; a log wants each step once.
      const step = text.replace(/[\d.]+ ?%.*$/u, '').trim();
      if (step !== lastNote) write(step);
      lastNote = step;
    },
    onEvent: (event) => state.take(event, nowMs(clock)).forEach(write),
    [Symbol.dispose]: () => undefined,
  };
}

// At most ten times a second, and never in the same turn as the event: a measured trial comes first.
const redrawMs = 100;
const idleRedrawMs = 500;

function liveProgress({ stream, clock, scenario, isColorAllowed }: ProgressOptions): ProgressReporter {
  const state = new ProgressState(scenario);
  let drawnLines = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const erase = (): string => (drawnLines === 0 ? '' : `\u001b[${drawnLines}A\r\u001b[J`);
  const draw = (): void => {
    timer = undefined;
    const lines = state
      .lines(nowMs(clock))
      .map((line) => fit(stripVTControlCharacters(line), stream.columns - 1));
    const dim = (line: string): string =>
      isColorAllowed ? styleText('dim', line, { validateStream: false }) : line;
    stream.write(`${erase()}${lines.map((line, index) => (index === 0 ? line : dim(line))).join('\n')}\n`);
    drawnLines = lines.length;
    schedule(idleRedrawMs);
  };
  const schedule = (afterMs: number): void => {
    if (isClosed) return;
    if (timer !== undefined && afterMs >= redrawMs && afterMs === idleRedrawMs) return;
    clearTimeout(timer);
    timer = setTimeout(draw, afterMs).unref();
  };
  let nextDrawMs = 0;
  const changed = (): void => {
    const inMs = Math.max(1, nextDrawMs - nowMs(clock));
    nextDrawMs = nowMs(clock) + inMs + redrawMs;
    schedule(inMs);
  };
  return {
    note: (text) => {
      state.note(text);
      changed();
    },
    onEvent: (event) => {
      state.take(event, nowMs(clock));
      changed();
    },
    [Symbol.dispose]: () => {
      isClosed = true;
      clearTimeout(timer);
      stream.write(erase());
      drawnLines = 0;
    },
  };
}
