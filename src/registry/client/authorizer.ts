import { request, type Dispatcher } from 'undici';
import { z } from 'zod';
import { HarnessError } from '../../errors/harness-error.ts';
import type { Clock } from '../../units/clock.ts';
import { parseChallenges } from './challenge.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import { isLoopback } from './registry-address.ts';
import { TokenCache, type IssuedToken } from './token-cache.ts';

const tokenReply = z.looseObject({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
});
/** Life of a token whose issuer does not tell (distribution, "Token Authentication Specification"). */
const defaultLifetimeMs = 60_000;

/** What an authorizer works with. */
export interface AuthorizerOptions {
  readonly registry: string;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly plainHttp: boolean;
  readonly timeoutMs: number;
}

type Scheme =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string;
    };

/** Answers a registry's challenges; what it learns serves the requests after, so each scope costs one 401. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens: TokenCache;
  readonly #schemes = new Map<string, Scheme>();
  #found: Promise<Credentials | undefined> | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#tokens = new TokenCache(options.clock);
  }

  /** The Authorization header for a scope (`repository:NAME:pull`), as far as it is known; undefined before a 401. */
  async header(scope: string, signal?: AbortSignal): Promise<string | undefined> {
    const scheme = this.#schemes.get(scope);
    if (scheme === undefined) return undefined;
    if (scheme.kind === 'bearer') {
      const key = keyOf(scheme);
      return `Bearer ${await this.#tokens.get(key, () => this.#issue(scheme, signal))}`;
    }
    const credentials = await this.#credentials(signal);
    return credentials?.kind === 'basic' ? basic(credentials) : undefined;
  }

  /** Learns from a 401. Returns false when there is nothing new to try: the caller is not authorised. */
  async challenged(
    scope: string,
    header: string,
    sent: string | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const realm = bearer?.parameters.get('realm');
    if (bearer !== undefined && realm !== undefined) {
      const scheme: Scheme = {
        kind: 'bearer',
        realm,
        service: bearer.parameters.get('service'),
        scope: bearer.parameters.get('scope') ?? scope,
      };
      this.#schemes.set(scope, scheme);
      if (sent?.startsWith('Bearer ') === true) await this.#tokens.refuse(keyOf(scheme), sent.slice(7));
      return true;
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return false;
    this.#schemes.set(scope, { kind: 'basic' });
    const credentials = await this.#credentials(signal);
    return credentials?.kind === 'basic' && sent !== basic(credentials);
  }

  #credentials(signal?: AbortSignal): Promise<Credentials | undefined> {
    return (this.#found ??= this.#options.credentials(this.#options.registry, signal));
  }

  async #issue(scheme: Extract<Scheme, { kind: 'bearer' }>, signal?: AbortSignal): Promise<IssuedToken> {
    const { registry, dispatcher, plainHttp, timeoutMs } = this.#options;
    const realm = URL.canParse(scheme.realm) ? new URL(scheme.realm) : undefined;
    if (realm === undefined || !/^https?:$/u.test(realm.protocol))
      throw new HarnessError(
        'REGISTRY_UNAVAILABLE',
        `${registry} names a token service that is no web address`,
      );
    // Credentials must not go over the wire in clear because a registry says so.
    if (realm.protocol === 'http:' && !plainHttp && !isLoopback(realm.hostname))
      throw new HarnessError(
        'REGISTRY_UNAVAILABLE',
        `${registry} names a token service without TLS: ${realm.host}`,
      );
    const credentials = await this.#credentials(signal);
    const fields = new URLSearchParams();
    if (scheme.service !== undefined) fields.set('service', scheme.service);
    if (scheme.scope !== '') fields.set('scope', scheme.scope);
    const common = {
      dispatcher,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    };
    let body: unknown;
    let status: number;
    try {
      if (credentials?.kind === 'identity-token') {
        fields.set('grant_type', 'refresh_token');
        fields.set('refresh_token', credentials.token);
        fields.set('client_id', 'lazybench');
        const reply = await request(realm, {
          ...common,
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: fields.toString(),
        });
        status = reply.statusCode;
        body = await reply.body.json().catch(() => undefined);
      } else {
        for (const [name, value] of fields) realm.searchParams.set(name, value);
        const reply = await request(realm, {
          ...common,
          headers: credentials === undefined ? {} : { authorization: basic(credentials) },
        });
        status = reply.statusCode;
        body = await reply.body.json().catch(() => undefined);
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw new HarnessError(
        'REGISTRY_UNAVAILABLE',
        `the token service of ${registry} (${realm.host}) does not answer`,
        { cause: error },
      );
    }
    if (status === 401 || status === 403)
      throw new HarnessError(
        'REGISTRY_UNAUTHORIZED',
        `${realm.host} gives no token for ${registry} (${scheme.scope}): ${credentials === undefined ? 'there are no credentials for it' : 'it refuses the credentials'}`,
      );
    if (status === 429)
      throw new HarnessError(
        'REGISTRY_RATE_LIMITED',
        `the token service of ${registry} asks for patience (429)`,
      );
    const reply = tokenReply.safeParse(body).data;
    const token = reply?.token ?? reply?.access_token;
    if (status !== 200 || token === undefined)
      throw new HarnessError(
        'REGISTRY_UNAVAILABLE',
        `the token service of ${registry} (${realm.host}) answered ${status} without a token`,
      );
    const lifetimeMs = reply?.expires_in === undefined ? defaultLifetimeMs : reply.expires_in * 1000;
    return { token, lifetimeMs };
  }
}

const keyOf = (scheme: Extract<Scheme, { kind: 'bearer' }>): string =>
  JSON.stringify([scheme.realm, scheme.service, scheme.scope]);

const basic = (credentials: Extract<Credentials, { kind: 'basic' }>): string =>
  `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
