import { raw, type Markup } from './markup.ts';

const unsafe: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** JSON (or JSON lines) that can neither end the script element it stands in nor begin a comment in it. */
export function escapeJson(json: string): string {
  return json.replace(/[<\u2028\u2029]/gu, (character) => unsafe[character] ?? '');
}

/** A data block: the browser never runs it, the report's own script reads it by its id. */
export function dataBlock(
  id: string,
  type: 'application/json' | 'application/x-ndjson',
  json: string,
): Markup {
  return raw(`<script type="${type}" id="${id}">${escapeJson(json)}</script>`);
}
