/**
 * The value of a header in the text of a message's head, for clients that store headers only as text. It is a list if the
 * header occurs several times.
 */
export function headerInText(head: string, name: string): string | string[] | undefined {
  const values: string[] = [];
  for (const line of head.split('\r\n')) {
    if (isHeader(line, name)) values.push(line.slice(name.length + 1).trim());
  }
  return values.length > 1 ? values : values[0];
}

/** Returns the text of a message's head without the headers of these names. */
export function withoutHeaders(head: string, names: readonly string[]): string {
  const kept = head.split('\r\n').filter((line) => !names.some((name) => isHeader(line, name)));
  return kept.join('\r\n');
}

/** True if a line of a head is the header of this name. */
function isHeader(line: string, name: string): boolean {
  return line[name.length] === ':' && line.slice(0, name.length).toLowerCase() === name.toLowerCase();
}
