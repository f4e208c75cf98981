const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Index just behind a quoted string that starts at `start`. */
function afterQuoted(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index + 1;
}

/** Index just behind the `<path>` that starts at `start`; with -yy it may hold another pair: `</dev/null<char 1:3>>`. */
function afterPath(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    if (text[index] === '<') depth += 1;
    else if (text[index] === '>') depth -= 1;
    if (depth === 0) return index + 1;
  }
  return text.length;
}

/**
 * Splits the arguments of a call as strace prints them at their top-level commas. strace escapes `<` and `>` inside
 * paths, so a path ends at its `>`.
 */
export function splitArguments(text: string): readonly string[] {
  const parts: string[] = [];
  const expected: string[] = [];
  let start = 0;
  let index = 0;
  while (index < text.length) {
    const character = text[index] ?? '';
    if (character === '"') {
      index = afterQuoted(text, index);
      continue;
    }
    if (character === '<' && /[\dD]/u.test(text[index - 1] ?? '')) {
      index = afterPath(text, index);
      continue;
    }
    const close = closing[character];
    if (close !== undefined) expected.push(close);
    else if (character === expected.at(-1)) expected.pop();
    else if (character === ',' && expected.length === 0) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
    index += 1;
  }
  const last = text.slice(start).trim();
  if (last !== '') parts.push(last);
  return parts;
}

const controls: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 };

/** Undoes strace's escapes (octal, hexadecimal, `\n` …), which stand for the bytes of a UTF-8 name. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes: number[] = [];
  for (const [piece] of text.matchAll(/\\(?:[0-7]{1,3}|x[0-9a-f]{2}|.)|[^\\]+/giu)) {
    const rest = piece.slice(1);
    if (!piece.startsWith('\\')) bytes.push(...new TextEncoder().encode(piece));
    else if (/^[0-7]+$/u.test(rest)) bytes.push(Number.parseInt(rest, 8) & 0xff);
    else if (/^x[0-9a-f]{2}$/iu.test(rest)) bytes.push(Number.parseInt(rest.slice(1), 16));
    else bytes.push(controls[rest] ?? rest.charCodeAt(0));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** A descriptor argument of `strace -y`: `3</etc/passwd>`. `path` is undefined for pipes, sockets and deleted files. */
export function readDescriptor(
  argument: string | undefined,
): { readonly descriptor: number; readonly path: string | undefined } | undefined {
  const [, number, inner, deleted] = /^(\d+)(?:<(.*)>(\(deleted\))?)?$/u.exec(argument ?? '') ?? [];
  if (number === undefined) return undefined;
  const name = inner?.split('<', 1)[0];
  const isFile = name?.startsWith('/') === true && deleted === undefined && !name.endsWith(' (deleted)');
  return { descriptor: Number(number), path: isFile ? unescape(name) : undefined };
}

/** A quoted string argument, unescaped; undefined when it is something else (NULL, an address). */
export function readQuoted(argument: string | undefined): string | undefined {
  const text = /^"(.*)"(?:\.\.\.)?$/u.exec(argument ?? '')?.[1];
  return text === undefined ? undefined : unescape(text);
}
