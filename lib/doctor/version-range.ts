/** A version as major, minor and patch. */
type Version = readonly [major: number, minor: number, patch: number];

export function parseVersion(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = text.replace(/^v/, '').split(/[-+]/, 1)[0]?.split('.').map(Number) ?? [];
  return [major, minor, patch];
}

/**
 * True if a version is in a range of package.json. Only the forms that this package uses are known: `^`, `>=`, `<`, a space for "and",
 * `||` for "or". A prerelease counts as its release, since Nest's own peers do so as well.
 */
export function isInRange(version: string, range: string): boolean {
  const parsed = parseVersion(version);
  return range.split('||').some((alternative) =>
    alternative
      .trim()
      .split(/\s+/)
      .every((comparator) => fulfils(parsed, comparator)),
  );
}

function fulfils(version: Version, comparator: string): boolean {
  const [, operator = '', text = ''] = /^([\^<>=]*)(.*)$/.exec(comparator) ?? [];
  const limit = parseVersion(text);
  const order = compare(version, limit);
  switch (operator) {
    case '^':
      return order >= 0 && version[0] === limit[0];
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    default:
      return order === 0;
  }
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
