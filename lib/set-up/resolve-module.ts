import { posix } from 'node:path';
import type { Project } from './project.js';

export const SOURCE_EXTENSIONS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs'] as const;

interface PathOptions {
  readonly baseUrl?: string;
  readonly paths?: Record<string, readonly string[]>;
}

/** Returns the path of the source file that an import means. Undefined if it is a package. */
export function resolveModule(project: Project, importer: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return sourceAt(project, posix.join(posix.dirname(importer), specifier));
  return aliases(project, specifier)
    .map((path) => sourceAt(project, path))
    .find((path) => path !== undefined);
}

/** The paths that an alias of tsconfig.json, or the base of all paths, may mean. */
function aliases(project: Project, specifier: string): string[] {
  const config = project.json<{ compilerOptions?: PathOptions }>('/tsconfig.json');
  const { baseUrl = '.', paths = {} } = config?.compilerOptions ?? {};
  const base = posix.join('/', baseUrl);
  const mapped = Object.entries(paths).flatMap(([pattern, targets]) => {
    const [start = '', end] = pattern.split('*');
    if (end === undefined) return specifier === pattern ? targets : [];
    if (!specifier.startsWith(start) || !specifier.endsWith(end)) return [];
    const rest = specifier.slice(start.length, specifier.length - end.length);
    return targets.map((target) => target.replace('*', rest));
  });
  return [...mapped, specifier].map((path) => posix.join(base, path));
}

function sourceAt(project: Project, path: string): string | undefined {
  const bare = path.replace(/\.[cm]?jsx?$/, '');
  return [
    path,
    ...SOURCE_EXTENSIONS.flatMap((extension) => [bare + extension, `${bare}/index${extension}`, path + extension]),
  ]
    .filter((each) => SOURCE_EXTENSIONS.some((extension) => each.endsWith(extension)))
    .find((each) => project.read(each) !== undefined);
}
