/** A Markdown table with aligned columns. */
export function table(header, rows) {
  const lines = [header, ...rows].map((cells) => cells.map(String));
  const widths = header.map((_, column) => Math.max(3, ...lines.map((cells) => cells[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(lines[0]), line(widths.map((width) => '-'.repeat(width))), ...lines.slice(1).map(line)];
}

/** `1.34 [1.29–1.58]`: the median and the interquartile range. */
export function spread(summary, digits = 2) {
  if (!summary) return '–';
  const [median, low, high] = [summary.median, summary.low, summary.high].map((number) => number.toFixed(digits));
  return `${median} [${low}–${high}]`;
}

/** The table of set-ups, compared with the bare one. */
export function ratioTable({ rows, skipped }) {
  const lines = table(
    ['set-up', 'spans', 'CPU µs', 'added µs', 'ratio to bare'],
    rows.map(({ added, id, microseconds, ratio, spansPerRequest, title, versions }) => [
      versions ? `${title} (${Object.values(versions).join(', ')})` : title,
      Number(spansPerRequest.toFixed(3)),
      microseconds.median.toFixed(1),
      id.startsWith('bare') ? '–' : added.median.toFixed(1),
      id.startsWith('bare') ? '1.00' : spread(ratio),
    ]),
  );
  return [...lines, ...skippedLines(skipped)];
}

export function skippedLines(skipped) {
  if (skipped.length === 0) return [];
  return ['', ...skipped.map(({ reason, title }) => `Not measured: ${title}. ${reason}`)];
}
