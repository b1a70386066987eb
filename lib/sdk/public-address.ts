/** An address as messages may show it: without user name, password and query, which may hold secrets. */
export function publicAddress(address: string): string {
  const { origin, pathname } = new URL(address);
  return pathname === '/' ? origin : origin + pathname;
}
