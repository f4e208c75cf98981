/** Hands out the addresses of a node's /24, the lowest free one first; .0, .1 and .255 are not for pods. */
export class PodAddresses {
  readonly #prefix: string;
  readonly #taken = new Set<number>();

  constructor(cidr: string) {
    this.#prefix = cidr.split('.').slice(0, 3).join('.');
  }

  /** Undefined when all are taken. */
  take(): string | undefined {
    for (let host = 2; host < 255; host += 1) {
      if (this.#taken.has(host)) continue;
      this.#taken.add(host);
      return `${this.#prefix}.${host}`;
    }
    return undefined;
  }

  give(address: string): void {
    this.#taken.delete(Number(address.split('.').at(-1)));
  }
}
