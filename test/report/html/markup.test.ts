import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escapeJson } from '../../../src/report/html/embedded-data.ts';
import { escapeHtml, html, raw } from '../../../src/report/html/markup.ts';
import { suite } from '../../support/suite.ts';

const test = suite('markup');

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('<', '>', '"', "'", '&', '`', '</script', '<!--', '\u2028', 'a'))
    .map((parts) => parts.join('')),
);

test('leaves no character of any text that could end a text or a quoted attribute', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.doesNotMatch(escapeHtml(text), /[<>"'`]|&(?!(?:amp|lt|gt|quot|#39|#96);)/u);
    }),
  );
});

test('loses nothing of the text', () => {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' };
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(
        escapeHtml(text).replace(/&([a-z0-9#]+);/gu, (_whole, name: string) => names[name] ?? '?'),
        text,
      );
    }),
  );
});

test('escapes values in a template, but not markup, and joins lists', () => {
  const item = (text: string) => html`<li title="${text}">${text}</li>`;
  const list = html`<ul title="${'a'}">
    ${['"a"', '<b>'].map(item)}${undefined}${raw('<!-- kept -->')}
  </ul>`;
  assert.equal(
    list.markup.replace(/\n\s*/gu, ''),
    '<ul title="a"><li title="&quot;a&quot;">&quot;a&quot;</li><li title="&lt;b&gt;">&lt;b&gt;</li><!-- kept --></ul>',
  );
});

test('writes JSON that holds no < and no line separator, and reads back the same', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        anyText.map((text) => JSON.stringify({ [text]: text })),
      ),
      (json) => {
        const escaped = escapeJson(json);
        assert.doesNotMatch(escaped, /[<\u2028\u2029]/u);
        assert.deepEqual(JSON.parse(escaped), JSON.parse(json));
      },
    ),
  );
});
