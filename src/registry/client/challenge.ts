/** One challenge of a WWW-Authenticate header. Scheme and parameter names are lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Parses WWW-Authenticate (RFC 9110, section 11.6.1): several challenges in one header, quoted pairs, a scheme in any
 * case, a bare token after the scheme (ignored). Unreadable text ends the list.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const token = /[!#$%&'*+\-.^_`|~\w]+(?=[\s,]|$)/y;
  const parameter = /([!#$%&'*+\-.^_`|~\w]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=][^\s,"]*))/y;
  const token68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;
  const separators = /[\s,]*/y;
  const match = (pattern: RegExp, at: number): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(header) ?? undefined;
  };
  let at = 0;
  for (;;) {
    at += match(separators, at)?.[0].length ?? 0;
    if (at >= header.length) return challenges;
    const found = match(parameter, at);
    const current = challenges.at(-1);
    const [whole, name, quoted, plain] = found ?? [];
    if (whole !== undefined && name !== undefined && current !== undefined) {
      current.parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/gu, '$1') ?? plain ?? '');
      at += whole.length;
      continue;
    }
    const scheme = match(token, at)?.[0];
    if (scheme === undefined) return challenges;
    challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    at += scheme.length;
    at += match(/\s*/y, at)?.[0].length ?? 0;
    if (match(parameter, at) === undefined) at += match(token68, at)?.[0].length ?? 0;
  }
}
