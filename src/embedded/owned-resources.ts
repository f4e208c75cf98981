/** Things that were started, to be stopped in reverse order. (Node 22 has no AsyncDisposableStack.) */
export class OwnedResources implements AsyncDisposable {
  readonly #stops: (() => Promise<void>)[] = [];

  /** Takes over something disposable, and hands it back. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.#stops.push(async () => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Remembers what has to be done at the end. */
  defer(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  /** Stops everything, also when some of it fails; then rejects with the first failure. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      await stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
