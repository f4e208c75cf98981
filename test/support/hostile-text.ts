// Texts that a report must survive wherever data stands in it.
export const hostile =
  '</script></style></title><script>globalThis.owned=1</script><img src=x onerror="globalThis.owned=1">' +
  `'"\`><svg onload=globalThis.owned=1>\u202Egnp.exe\u202C مرحبا 🚀👩‍🚀 &lt;b&gt; \u0000\u001b[31m\u2028\u2029 ]]> <!-- {{7*7}} \${7*7} | a@b *x* [l](javascript:owned)`;

/** A line of 100 kB that nothing can break. */
export const longLine = `${'x'.repeat(50_000)}<script>globalThis.owned=1</script>${'y'.repeat(50_000)}`;

/** Makes every text of a fixture hostile; long ones only where messages stand. */
export function makeHostile(plain: string): string {
  return `${plain}${hostile}${plain.length > 60 ? longLine : ''}`;
}
