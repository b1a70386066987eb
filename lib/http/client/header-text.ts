/** The value of a header in the text of a message's head, where a client keeps its headers in no other form. */
export function headerInText(head: string, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon === wanted.length && line.slice(0, colon).toLowerCase() === wanted) return line.slice(colon + 1).trim();
  }
  return undefined;
}
