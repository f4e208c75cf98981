import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { RegistryApiError } from './api-error.ts';

/** Who may use an embedded registry. */
export type RegistryAuth =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Tokens from the registry's own /token; without a user they are given to everybody, for pulling only. */
  | {
      readonly kind: 'bearer';
      readonly username: string;
      readonly password: string;
      readonly anonymousPull?: boolean;
      readonly tokenLifetimeS?: number;
    };

interface Token {
  readonly scopes: readonly string[];
  readonly expiresAtNs: bigint;
}

/** Checks requests against the chosen way of logging in. */
export class AccessControl {
  readonly #auth: RegistryAuth;
  readonly #nowNs: () => bigint;
  readonly #tokens = new Map<string, Token>();

  constructor(auth: RegistryAuth, monotonicNs: () => bigint) {
    this.#auth = auth;
    this.#nowNs = monotonicNs;
  }

  /** Throws UNAUTHORIZED, with the challenge, unless the request may do `action` to `repository` (undefined: /v2/). */
  check(request: IncomingMessage, repository: string | undefined, action: 'pull' | 'push'): void {
    const auth = this.#auth;
    if (auth.kind === 'anonymous') return;
    const sent = request.headers.authorization;
    if (auth.kind === 'basic') {
      if (matches(sent, auth)) return;
      throw new RegistryApiError('UNAUTHORIZED', 'log in first', {
        'www-authenticate': 'Basic realm="lazybench"',
      });
    }
    const scope = repository === undefined ? undefined : `repository:${repository}:`;
    const token = this.#tokens.get(sent?.replace(/^bearer /iu, '') ?? '');
    const isFresh = token !== undefined && token.expiresAtNs > this.#nowNs();
    const isGranted =
      isFresh &&
      (scope === undefined ||
        token.scopes.some(
          (granted) => granted.startsWith(scope) && granted.slice(scope.length).split(',').includes(action),
        ));
    if (isGranted) return;
    const realm = `http://${request.headers.host ?? 'localhost'}/token`;
    const wanted = scope === undefined ? '' : `,scope="${scope}${action === 'push' ? 'pull,push' : 'pull'}"`;
    throw new RegistryApiError('UNAUTHORIZED', 'a token is needed', {
      'www-authenticate': `Bearer realm="${realm}",service="lazybench"${wanted}`,
    });
  }

  /** Answers a token request (distribution, "Token Authentication Specification"). */
  issue(request: IncomingMessage, query: URLSearchParams): string {
    const auth = this.#auth;
    if (auth.kind !== 'bearer') throw new RegistryApiError('UNSUPPORTED', 'this registry has no tokens');
    const isUser = matches(request.headers.authorization, auth);
    const isRefused = !isUser && (request.headers.authorization !== undefined || auth.anonymousPull !== true);
    if (isRefused) throw new RegistryApiError('UNAUTHORIZED', 'wrong user name or password');
    const asked = query.getAll('scope').flatMap((scope) => scope.split(' '));
    const scopes = isUser ? asked : asked.map((scope) => scope.replace(/:[^:]*$/u, ':pull'));
    const lifetimeS = auth.tokenLifetimeS ?? 300;
    const token = randomBytes(24).toString('base64url');
    this.#tokens.set(token, { scopes, expiresAtNs: this.#nowNs() + BigInt(Math.round(lifetimeS * 1e9)) });
    return JSON.stringify({ token, access_token: token, expires_in: lifetimeS });
  }
}

const matches = (
  header: string | undefined,
  auth: { readonly username: string; readonly password: string },
): boolean => {
  const [, encoded] = /^basic +(.+)$/iu.exec(header ?? '') ?? [];
  const sent = Buffer.from(encoded ?? '', 'base64');
  const wanted = Buffer.from(`${auth.username}:${auth.password}`);
  return sent.length === wanted.length && timingSafeEqual(sent, wanted);
};
