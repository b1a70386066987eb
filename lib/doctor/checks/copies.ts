import { relative } from 'node:path';
import type { ApplicationFolder } from '../application-folder.js';
import { error, ok, warning, type Finding } from '../finding.js';
import { findCopies, findPackage, type InstalledPackage } from '../installed-packages.js';
import { parseVersion } from '../version-range.js';

const API = '@opentelemetry/api';
const LIBRARY = 'nestjs-tracing';
const NEST = ['@nestjs/core', '@nestjs/common'];

/** Checks that what a process should have once is installed once. */
export function checkCopies({ path }: ApplicationFolder): Finding[] {
  const copies = findCopies(path, [API, LIBRARY, ...NEST]);
  const apis = copies.get(API) ?? [];
  const findings = [
    ...checkApi(path, apis),
    ...checkOne(
      path,
      LIBRARY,
      copies.get(LIBRARY) ?? [],
      'Decorators and TracingService of one copy do not know the module of the other.',
    ),
    ...NEST.flatMap((name) =>
      checkOne(path, name, copies.get(name) ?? [], 'Nest does not find providers of one copy in the other.'),
    ),
  ];
  if (findings.length > 0 || apis.length === 0) return findings;
  return [ok('copies', `one copy each of ${API}, ${LIBRARY} and Nest`)];
}

/**
 * The copies of the API share the tracer provider by a global variable. A copy ignores a provider that an older minor version has
 * registered, so the spans that are made with that copy are lost.
 */
function checkApi(folder: string, copies: readonly InstalledPackage[]): Finding[] {
  const library = findPackage(folder, LIBRARY);
  const own = library && findPackage(library.path, API);
  if (!own || copies.length < 2) return [];
  const [major, minor] = parseVersion(own.version);
  const others = copies.filter((copy) => copy.path !== own.path);
  return others.map((copy) => {
    const [otherMajor, otherMinor] = parseVersion(copy.version);
    const place = `${API} ${copy.version} in ${relative(folder, copy.path)}`;
    const fix = `Have one version: npm ls ${API}, then npm dedupe, or "overrides" in package.json.`;
    if (otherMajor === major && otherMinor <= minor) {
      return warning(
        'copies',
        `${place} is a second copy beside ${own.version}. Spans made with it still arrive.`,
        fix,
      );
    }
    return error(
      'copies',
      `${place} is a second copy. It ignores what ${own.version} registers: spans made with it are lost.`,
      fix,
    );
  });
}

function checkOne(folder: string, name: string, copies: readonly InstalledPackage[], effect: string): Finding[] {
  if (copies.length < 2) return [];
  const places = copies.map((copy) => `${copy.version} in ${relative(folder, copy.path)}`);
  return [
    warning(
      'copies',
      `${name} is installed ${copies.length} times: ${places.join('; ')}. ${effect}`,
      `npm ls ${name}, then npm dedupe`,
    ),
  ];
}
