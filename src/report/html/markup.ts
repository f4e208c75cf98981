/** HTML (or SVG) that is safe to insert as it is. Only `html` and `raw` make it. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a `html` template: text is escaped, markup is not, a list is joined, nothing is nothing. */
export type Content = string | number | Markup | undefined | readonly Content[];

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** Escapes text for element content and for attribute values in quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/gu, (character) => escapes[character] ?? '');
}

/** Takes a string for markup as it is. For constants of this project only, never for data. */
export function raw(markup: string): Markup {
  return { markup };
}

/** Tagged template that escapes every value unless it is {@link Markup}. Attribute values must stand in quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let markup = strings[0] ?? '';
  for (const [index, value] of values.entries()) markup += render(value) + (strings[index + 1] ?? '');
  return { markup };
}

function render(content: Content): string {
  if (content === undefined) return '';
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(content);
  if ('markup' in content) return content.markup;
  return content.map(render).join('');
}
