/** One line of a container's output with the node's time at which it was read. */
export interface LogLine {
  readonly atNs: bigint;
  readonly text: string;
}

/** The kubelet rotates a container's log at 10 MiB (containerLogMaxSize) and `kubectl logs` then sees only what is left. */
const maxBytes = 10 * 1024 * 1024;

/** Output of one container instance. Readers keep their own place by line number, so nothing is buffered per reader. */
export class ContainerLog {
  #lines: LogLine[] = [];
  #firstNumber = 0;
  #bytes = 0;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  /** Number of the first line that is still kept. */
  get start(): number {
    return this.#firstNumber;
  }

  /** Number of the line that comes next. */
  get end(): number {
    return this.#firstNumber + this.#lines.length;
  }

  /** True when the container has ended and no line can come any more. */
  get closed(): boolean {
    return this.#closed;
  }

  append(line: LogLine): void {
    if (this.#closed) return;
    this.#lines.push(line);
    this.#bytes += line.text.length + 1;
    if (this.#bytes > maxBytes) this.#forgetHalf();
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** The line with this number; undefined when it is not there (any more, or yet). */
  line(number: number): LogLine | undefined {
    return this.#lines[number - this.#firstNumber];
  }

  /** Resolves when there is a line with number `from` or later, when the log is closed, or when the signal aborts. */
  async more(from: number, signal: AbortSignal): Promise<void> {
    if (this.#closed || this.end > from || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #forgetHalf(): void {
    const cut = Math.ceil(this.#lines.length / 2);
    for (const line of this.#lines.slice(0, cut)) this.#bytes -= line.text.length + 1;
    this.#lines = this.#lines.slice(cut);
    this.#firstNumber += cut;
  }
}

/** Current and previous log of each container; the kubelet writes it, the log subresource reads it. */
export class LogBook {
  readonly #logs = new Map<string, Map<string, readonly ContainerLog[]>>();

  /** Starts the log of a new instance of a container; the one before becomes `previous`. */
  open(podUid: string, container: string): ContainerLog {
    const log = new ContainerLog();
    const ofPod = this.#logs.get(podUid) ?? new Map<string, readonly ContainerLog[]>();
    ofPod.set(container, [...(ofPod.get(container) ?? []).slice(-1), log]);
    this.#logs.set(podUid, ofPod);
    return log;
  }

  /** The log of the container's last instance, or of the one before; undefined when there was none. */
  find(podUid: string, container: string, which: 'current' | 'previous'): ContainerLog | undefined {
    const instances = this.#logs.get(podUid)?.get(container) ?? [];
    return which === 'current' ? instances.at(-1) : instances.at(-2);
  }

  /** Forgets a pod's logs; readers that still follow them are ended. */
  forget(podUid: string): void {
    for (const instances of this.#logs.get(podUid)?.values() ?? []) for (const log of instances) log.close();
    this.#logs.delete(podUid);
  }
}
