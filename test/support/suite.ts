// The only door to uvu. It closes the holes through which uvu 0.5.6 reports failures as success: a throwing hook,
// a thrown non-Error, a forgotten run(); and it gives every test a time limit. The runner calls `drainSuites`.
import { suite as uvuSuite } from 'uvu';
import { MissingTool, toolsAreRequired } from './tool.ts';

/** What a test body gets: a signal that aborts when its time limit is over. */
export interface TestContext {
  readonly signal: AbortSignal;
}

type Body = (context: TestContext) => void | Promise<void>;
type Hook = () => void | Promise<void>;

/** A named group of tests; call it with a sentence about behaviour. */
export interface Suite {
  (title: string, body: Body, options?: { limitMs?: number }): void;
  before(hook: Hook): void;
  after(hook: Hook): void;
  beforeEach(hook: Hook): void;
  afterEach(hook: Hook): void;
}

interface Pending {
  readonly name: string;
  tests: number;
  run(): void;
}

const pending: Pending[] = [];
const hookFailures: string[] = [];
const skipped: string[] = [];
const defaultLimitMs = 30_000;

/** uvu prints `error.details` as text and gives up on the whole suite when it is an object, as a HarnessError's is. */
const asError = (thrown: unknown): Error => {
  if (!(thrown instanceof Error)) return new Error(`thrown, not an Error: ${String(thrown)}`);
  if (!('details' in thrown) || typeof thrown.details === 'string') return thrown;
  const plain = new Error(`${thrown.message} ${JSON.stringify(thrown.details)}`, { cause: thrown });
  if (thrown.stack !== undefined) plain.stack = thrown.stack;
  return plain;
};

const isSkip = (error: Error): boolean => error instanceof MissingTool && !toolsAreRequired;

async function withinLimit(body: Body, limitMs: number): Promise<void> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`time limit of ${String(limitMs)} ms exceeded`);
      limit.abort(error);
      reject(error);
    }, limitMs);
  });
  try {
    await Promise.race([body({ signal: limit.signal }), expiry]);
  } catch (thrown) {
    throw asError(thrown);
  } finally {
    clearTimeout(timer);
  }
}

/** Makes a suite. Nothing more to call: the runner runs every suite that a test file made. */
export function suite(name: string): Suite {
  const inner = uvuSuite(name);
  const entry: Pending = { name, tests: 0, run: () => inner.run() };
  pending.push(entry);
  let brokenBy: Error | undefined;
  const guarded = (which: string, hook: Hook) => async (): Promise<void> => {
    try {
      await hook();
    } catch (thrown) {
      const error = asError(thrown);
      brokenBy ??= error;
      if (isSkip(error)) return;
      hookFailures.push(`${name}: ${which} hook failed: ${error.stack ?? error.message}`);
    }
  };
  const test = (title: string, body: Body, options: { limitMs?: number } = {}): void => {
    entry.tests += 1;
    inner(title, async () => {
      try {
        if (brokenBy instanceof MissingTool) throw brokenBy;
        if (brokenBy !== undefined) throw new Error(`not run: a hook failed (${brokenBy.message})`);
        await withinLimit(body, options.limitMs ?? defaultLimitMs);
      } catch (error) {
        if (!(error instanceof Error) || !isSkip(error)) throw error;
        skipped.push(`${name}: ${title}: ${error.message}`);
      }
    });
  };
  return Object.assign(test, {
    before: (hook: Hook) => inner.before(guarded('before', hook)),
    after: (hook: Hook) => inner.after(guarded('after', hook)),
    beforeEach: (hook: Hook) => inner.before.each(guarded('beforeEach', hook)),
    afterEach: (hook: Hook) => inner.after.each(guarded('afterEach', hook)),
  });
}

/** For the runner: queues the suites made since the last call; says which had no test. */
export function drainSuites(): { queued: number; empty: string[] } {
  const made = pending.splice(0);
  const empty = made.filter((entry) => entry.tests === 0).map((entry) => entry.name);
  for (const entry of made) if (entry.tests > 0) entry.run();
  return { queued: made.length - empty.length, empty };
}

/** For the runner: hook failures so far. */
export function failedHooks(): readonly string[] {
  return hookFailures;
}

/** For the runner: tests that did not run because a tool is not installed here (never in CI). */
export function skippedTests(): readonly string[] {
  return skipped;
}
