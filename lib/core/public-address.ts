/** Returns an address for warnings: without user name, password and query, which may be secret. */
export function publicAddress(address: string): string {
  const { origin, pathname } = new URL(address);
  return pathname === '/' ? origin : origin + pathname;
}
