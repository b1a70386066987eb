import type { Application } from '../nest-project.js';
import type { Project } from '../project.js';

/** The file that `@opentelemetry/auto-instrumentations-node` offers for a preload without a file of the application. */
export const REGISTER = '@opentelemetry/auto-instrumentations-node/register';

/** A flag that preloads a file, with the path of the file. */
const FLAG = /(?<![\w-])(?:--require|--import|-r)(?:=|\s+)(["']?)([^\s"']+)\1\s*/g;
const NO_OPTIONS = /\bNODE_OPTIONS=(?:(["'])\s*\1|(?=\s|$))\s*/g;

/** The files besides package.json that start an application. */
const STARTING =
  /(?:^|\/)(?:Dockerfile[^/]*|Procfile|Makefile|\.env[^/]*|ecosystem\.config\.[cm]?js|[^/]*\.(?:sh|ya?ml|toml|service))$/;

/** True if a preloaded path is this one: by its name, because a script names the compiled file. */
export type IsPreload = (path: string) => boolean;

export function isPreloadOf(startFile: string, { name: application, sourceRoot }: Application): IsPreload {
  const name = nameOf(startFile);
  // The applications of a monorepo may have files of the same name.
  const isShared = application === undefined || !startFile.startsWith(`${sourceRoot}/`);
  const belongs = (path: string) => isShared || path.split('/').includes(application);
  // Without a dot or a slash at its beginning, a path means a package: `-r dotenv/config`.
  return (path) => /^[./$]/.test(path) && nameOf(path) === name && belongs(path);
}

function nameOf(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.[cm]?[jt]s$/, '');
}

/** Returns the scripts of package.json that preload a file. */
export function scriptsThatPreload({ manifest }: Project, isPreload: IsPreload): { name: string; script: string }[] {
  return Object.entries(manifest.scripts ?? {})
    .filter(([, script]) => withoutPreload(script, isPreload) !== script)
    .map(([name, script]) => ({ name, script }));
}

/** Removes the flags that preload a file from the scripts of package.json, whose form stays as it is. */
export function removeFromScripts(project: Project, isPreload: IsPreload): void {
  let text = project.read('/package.json') ?? '';
  for (const script of Object.values(project.manifest.scripts ?? {})) {
    const changed = withoutPreload(script, isPreload);
    if (changed !== script) text = text.replaceAll(JSON.stringify(script), () => JSON.stringify(changed));
  }
  if (text !== '') project.write('/package.json', text);
}

function withoutPreload(script: string, isPreload: IsPreload): string {
  const without = script.replaceAll(FLAG, (flag, _quote: string, path: string) => (isPreload(path) ? '' : flag));
  return without === script
    ? script
    : without
        .replaceAll(NO_OPTIONS, '')
        .replace(/\s+(["']?)$/, '$1')
        .trim();
}

/** The places outside of package.json that preload a file. They are not changed, because a build or a deployment reads them. */
export function findOtherFlags(project: Project, isPreload: IsPreload): string[] {
  return project
    .files('/')
    .filter((path) => STARTING.test(path))
    .flatMap((path) =>
      (project.read(path) ?? '').split('\n').flatMap((line, index) => {
        // A list of arguments, as in a Dockerfile, has the flag and the path as two texts.
        const plain = line.replaceAll(/["'],\s*["']/g, ' ').replaceAll(/["']/g, ' ');
        return [...plain.matchAll(FLAG)].some(([, , target = '']) => isPreload(target))
          ? [`${path.slice(1)}:${index + 1}`]
          : [];
      }),
    );
}
