import type { Clock } from '../../units/clock.ts';

/** A bearer token and how long its issuer says it lives. */
export interface IssuedToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

interface CachedToken {
  readonly token: string;
  readonly expiresAtNs: bigint;
}

/** A token is renewed this much before its end, so that none expires on its way. */
const skewMs = 5_000;

/** Keeps tokens by realm, service and scope until shortly before they expire; concurrent askers share one request. */
export class TokenCache {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Promise<CachedToken>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The cached token, or a new one from `issue`. A failed request is not remembered. */
  async get(key: string, issue: () => Promise<IssuedToken>): Promise<string> {
    const cached = this.#tokens.get(key);
    if (cached !== undefined) {
      const { token, expiresAtNs } = await cached;
      if (expiresAtNs > this.#clock.monotonicNs()) return token;
      if (this.#tokens.get(key) === cached) this.#tokens.delete(key);
    }
    const pending = this.#tokens.get(key) ?? this.#request(key, issue);
    return (await pending).token;
  }

  /** Forgets a token that a registry refused, unless it has been replaced since. */
  async refuse(key: string, token: string): Promise<void> {
    const cached = this.#tokens.get(key);
    if (cached === undefined) return;
    if ((await cached.catch(() => undefined))?.token !== token) return;
    if (this.#tokens.get(key) === cached) this.#tokens.delete(key);
  }

  #request(key: string, issue: () => Promise<IssuedToken>): Promise<CachedToken> {
    const pending = issue().then(({ token, lifetimeMs }) => ({
      token,
      expiresAtNs:
        this.#clock.monotonicNs() + BigInt(Math.round(Math.max(lifetimeMs - skewMs, 0))) * 1_000_000n,
    }));
    this.#tokens.set(key, pending);
    pending.catch(() => {
      if (this.#tokens.get(key) === pending) this.#tokens.delete(key);
    });
    return pending;
  }
}
