/** Returns ` Did you mean "otlp"?` with the name nearest to a misspelt word. Returns an empty text if no name is near. */
export function didYouMean(word: string, names: readonly string[]): string {
  const tolerance = Math.min(2, Math.floor(word.length / 2));
  let nearest: string | undefined;
  let least = tolerance + 1;
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase(), least);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
}

/**
 * Returns the optimal string alignment distance: the number of insertions, deletions, replacements and swaps of adjacent characters
 * between two words. Returns `limit` if there are more.
 */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return Math.min(at(last, to.length), limit);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
