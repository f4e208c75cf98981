import type {
  Container,
  ContainerExit,
  ContainerRuntime,
  ContainerSpec,
} from '../../src/embedded/container-runtime.ts';

/** What an image does in the fake runtime. */
export interface ImageScript {
  /** Each pull takes the next; a text is the error it fails with. The last one repeats. */
  readonly pulls?: readonly (string | undefined)[];
  /** Its pull never ends by itself. */
  readonly hangs?: true;
  readonly sizeBytes?: number;
  readonly startError?: string;
  readonly lines?: readonly string[];
  /** Undefined = runs until it is stopped. */
  readonly exit?: ContainerExit;
}

/** A container runtime that follows a script and remembers what it was asked. */
export class FakeRuntime implements ContainerRuntime {
  readonly images = new Map<string, ImageScript>();
  readonly present = new Set<string>();
  readonly pulled: { readonly reference: string; readonly handler: string }[] = [];
  readonly created: ContainerSpec[] = [];
  readonly running = new Set<string>();
  readonly removed: string[] = [];
  #say = new Map<string, (line: string) => void>();
  #stop = new Map<string, (exit: ContainerExit) => void>();

  hasImage(reference: string): Promise<boolean> {
    return Promise.resolve(this.present.has(reference));
  }

  async pullImage(reference: string, handler: string, signal: AbortSignal): Promise<{ sizeBytes: number }> {
    const script = this.images.get(reference);
    const attempt = this.pulled.filter((each) => each.reference === reference).length;
    this.pulled.push({ reference, handler });
    if (script?.hangs === true)
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
    await new Promise(setImmediate);
    signal.throwIfAborted();
    const pulls = script?.pulls ?? [undefined];
    const error = attempt < pulls.length ? pulls[attempt] : pulls.at(-1);
    if (error !== undefined) throw new Error(error);
    this.present.add(reference);
    return { sizeBytes: script?.sizeBytes ?? 1234 };
  }

  createContainer(spec: ContainerSpec): Promise<Container> {
    this.created.push(spec);
    const script = this.images.get(spec.image) ?? {};
    const id = `c${String(this.created.length)}`;
    const key = `${spec.podName}/${spec.containerName}`;
    const exited = Promise.withResolvers<ContainerExit>();
    return Promise.resolve({
      id,
      exited: exited.promise,
      start: (onLine) => {
        if (script.startError !== undefined) return Promise.reject(new Error(script.startError));
        this.running.add(id);
        this.#say.set(key, onLine);
        this.#stop.set(key, (exit) => {
          this.running.delete(id);
          exited.resolve(exit);
        });
        for (const line of script.lines ?? []) onLine(line);
        if (script.exit !== undefined) this.#stop.get(key)?.(script.exit);
        return Promise.resolve();
      },
      remove: () => {
        this.running.delete(id);
        if (!this.removed.includes(id)) this.removed.push(id);
        exited.resolve({ exitCode: 137, reason: 'Error' });
        return Promise.resolve();
      },
    });
  }

  /** Lets the pod's container print a line. */
  say(pod: string, container: string, line: string): void {
    this.#say.get(`${pod}/${container}`)?.(line);
  }

  /** Lets the pod's container end. */
  end(pod: string, container: string, exit: ContainerExit): void {
    this.#stop.get(`${pod}/${container}`)?.(exit);
  }
}
