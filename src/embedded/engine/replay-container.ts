import { randomBytes } from 'node:crypto';
import type { Clock } from '../../units/clock.ts';
import type { Container, ContainerExit, ContainerSpec } from '../container-runtime.ts';
import { replay, type Workload } from './replay.ts';
import type { RootFilesystem } from './root-filesystem.ts';

/** What one container read of its root file system. */
export interface ContainerAccesses {
  readonly readBytes: number;
  readonly reads: number;
  /** Accesses of the trace that the image cannot answer: a trace of another image has many. */
  readonly missing: number;
  /** Per file, in order of first access. */
  readonly files: readonly {
    readonly path: string;
    readonly readBytes: number;
    readonly firstAtNs: bigint;
  }[];
}

const exitCodeKilled = 137;

/**
 * A container in which no program runs: the recorded accesses of one are replayed against its root file system.
 * After the last step it goes on running, as a server would, until it is removed. A read that fails ends it with
 * exit code 1 and the reason as its last line.
 */
export class ReplayContainer implements Container {
  readonly id = randomBytes(32).toString('hex');
  readonly spec: ContainerSpec;
  readonly root: RootFilesystem;
  readonly exited: Promise<ContainerExit>;
  readonly #workload: Workload;
  readonly #clock: Clock;
  readonly #settle: (exit: ContainerExit) => void;
  readonly #stop = new AbortController();
  readonly #onRemoved: (container: ReplayContainer) => void;
  readonly #files = new Map<string, { readBytes: number; readonly firstAtNs: bigint }>();
  #running: Promise<void> | undefined;
  #readBytes = 0;
  #reads = 0;
  #missing = 0;

  constructor(options: {
    readonly spec: ContainerSpec;
    readonly root: RootFilesystem;
    readonly workload: Workload;
    readonly clock: Clock;
    readonly onRemoved: (container: ReplayContainer) => void;
  }) {
    this.spec = options.spec;
    this.root = options.root;
    this.#workload = options.workload;
    this.#clock = options.clock;
    this.#onRemoved = options.onRemoved;
    const { promise, resolve } = Promise.withResolvers<ContainerExit>();
    this.exited = promise;
    this.#settle = resolve;
  }

  accesses(): ContainerAccesses {
    return {
      readBytes: this.#readBytes,
      reads: this.#reads,
      missing: this.#missing,
      files: Array.from(this.#files, ([path, { readBytes, firstAtNs }]) => ({ path, readBytes, firstAtNs })),
    };
  }

  start(onLine: (line: string) => void): Promise<void> {
    if (this.#running !== undefined) return Promise.reject(new Error('the container was started before'));
    this.#running = this.#run(onLine);
    return Promise.resolve();
  }

  async remove(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#settle({ exitCode: exitCodeKilled, reason: 'Error' });
    this.root.close();
    this.#onRemoved(this);
  }

  async #run(onLine: (line: string) => void): Promise<void> {
    const observer = {
      line: onLine,
      read: (path: string, readBytes: number): void => {
        this.#reads += 1;
        this.#readBytes += readBytes;
        const file = this.#files.get(path);
        if (file === undefined) this.#files.set(path, { readBytes, firstAtNs: this.#clock.wallNs() });
        else file.readBytes += readBytes;
      },
      missing: (): void => {
        this.#missing += 1;
      },
    };
    try {
      await replay({
        workload: this.#workload,
        root: this.root,
        clock: this.#clock,
        signal: this.#stop.signal,
        observer,
      });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      onLine(`input/output error: ${error instanceof Error ? error.message : String(error)}`);
      this.#settle({ exitCode: 1, reason: 'Error' });
    }
  }
}
