/** Anything JSON can hold. */
type Json = unknown;

const secretName =
  '(?:[A-Za-z0-9]+[_-])*(?:token|secret|password|passwd|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|authorization)(?:[_-][A-Za-z0-9]+)*';
const secretKey = new RegExp(`^${secretName}$`, 'iu');
/** `NAME=value`, `--name value`, `name: value`, `"NAME": "value"`; an image tag or a path after the colon is not preceded by such a name. */
const namedSecret = new RegExp(
  `((?:(?<![A-Za-z0-9_])${secretName}["']?\\s*[:=]|--${secretName}\\s)\\s*)(?:"[^"\\n]*"|'[^'\\n]*'|(?:(?:Bearer|Basic|Token)\\s+)?[^\\s,;}&"'<>]+)`,
  'giu',
);

/** Formats of credentials that are recognisable without their name; each issuer documents its prefix. */
const shapedSecrets = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gu,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/gu,
  /\b(?:gh[pousr]_|github_pat_|glpat-|hf_|nvapi-|npm_|dckr_pat_|xox[abprs]-|sk-)[\w-]{16,}/gu,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/gu,
  /(?<=\b(?:Bearer|Basic)\s)[\w+/.~-]{8,}=*/giu,
];
const urlCredentials = /(?<=\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]*@/giu;
const homes =
  /(?<![\w.~-])(?:\/(?:home|Users)\/[^\s/:"'<>]+|\/root)(?=[/\s:"',;)]|$)|\b[A-Z]:\\Users\\[^\s\\"']+/gu;
const ipv4 = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)/gu;
/** Cloud node names that spell the address out: `ip-10-0-3-17`. */
const dashedIpv4 = /\bip-(\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3})\b/gu;
const ipv6 =
  /(?<![\w:])(?:(?:[\da-f]{1,4}:){7}[\da-f]{1,4}|(?:[\da-f]{1,4}:){1,6}(?::[\da-f]{1,4}){1,6})(?![\w:])/giu;

/** Control characters (but tab and line end) and characters that turn the writing direction: shown, never obeyed. */
const invisible =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;
const visible = (character: string): string =>
  `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`;

const isOwnMachine = (address: string): boolean =>
  address.startsWith('127.') || address === '0.0.0.0' || address === '::1';

/** Removes from texts what a report must not carry to a stranger. */
export interface Redactor {
  /** One text. */
  readonly text: (text: string) => string;
  /** Every string inside a JSON value; values under keys that name a secret go altogether. */
  readonly json: (value: Json) => Json;
}

/**
 * Makes a redactor for one report. It removes credentials (by name and by shape), credentials in URLs, home
 * folders (`~` instead) and network addresses. An address becomes `[address 1]`, `[address 2]` …, the same one
 * everywhere in the report, so that nodes named after their address can still be told apart. Characters that would
 * move a terminal's cursor or turn the writing direction are spelt out.
 */
export function createRedactor(): Redactor {
  const addresses = new Map<string, string>();
  const label = (address: string): string => {
    if (isOwnMachine(address)) return address;
    const known = addresses.get(address);
    if (known !== undefined) return known;
    const fresh = `[address ${String(addresses.size + 1)}]`;
    addresses.set(address, fresh);
    return fresh;
  };
  const text = (input: string): string => {
    let output = input;
    for (const shape of shapedSecrets) output = output.replace(shape, '[redacted]');
    return output
      .replace(namedSecret, '$1[redacted]')
      .replace(urlCredentials, '[redacted]@')
      .replace(homes, '~')
      .replace(dashedIpv4, (_whole, octets: string) => label(octets.replaceAll('-', '.')))
      .replace(ipv4, label)
      .replace(ipv6, label)
      .replace(invisible, visible);
  };
  const json = (value: Json): Json => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(json);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]: [string, unknown]) => [
        key,
        secretKey.test(key) && typeof inner === 'string' ? '[redacted]' : json(inner),
      ]),
    );
  };
  return { text, json };
}
