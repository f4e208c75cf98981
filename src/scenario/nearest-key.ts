/**
 * The known key that was probably meant by `written`, or undefined when none is near: the smallest edit distance
 * (letter case ignored), at most a third of the longer word, at least 1.
 */
export function nearestKey(written: string, known: readonly string[]): string | undefined {
  let best: { key: string; distance: number } | undefined;
  for (const key of known) {
    const distance = editDistance(written.toLowerCase(), key.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.max(written.length, key.length) / 3));
    if (distance <= allowed && (best === undefined || distance < best.distance)) best = { key, distance };
  }
  return best?.key;
}

/**
 * Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours that turn `from`
 * into `to` (swaps count as one: they are the commonest slip of the hand).
 */
function editDistance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const at = (line: number, column: number): number => rows[line]?.[column] ?? 0;
  for (let line = 1; line <= from.length; line += 1) {
    const row = [line];
    rows.push(row);
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[line - 1] === to[column - 1];
      const isSwap =
        line > 1 && column > 1 && from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1];
      row.push(
        Math.min(
          at(line - 1, column - 1) + (isSame ? 0 : 1),
          at(line - 1, column) + 1,
          at(line, column - 1) + 1,
          isSwap ? at(line - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(from.length, to.length);
}
