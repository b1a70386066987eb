/** True if an object has all of these members, own or inherited. By its members, an object of an optional package is recognized. */
export function hasMembers(candidate: object, names: readonly string[]): boolean {
  return names.every((name) => name in candidate);
}
