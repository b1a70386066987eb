import type { Project } from './project.js';

/** The options that Nest's command line and the developer give. */
export interface SetUpOptions {
  /** The folder of the sources, by nest-cli.json. */
  readonly sourceRoot?: string;
  /** The name of a project in nest-cli.json. */
  readonly project?: string;
}

/** An application of the project: the only one, or one of a monorepo. */
export interface Application {
  /** The name in nest-cli.json, if it has several applications. */
  readonly name: string | undefined;
  readonly sourceRoot: string;
  /** The sources of the other applications. */
  readonly others: readonly string[];
  /** The path of the file that starts the application, without its extension. */
  readonly entry: string;
}

interface NestProject {
  readonly type?: string;
  readonly sourceRoot?: string;
  readonly entryFile?: string;
}

interface NestConfiguration extends NestProject {
  readonly projects?: Record<string, NestProject>;
}

/** @throws if the project that was asked for does not exist */
export function findApplication(project: Project, { project: name, sourceRoot }: SetUpOptions): Application {
  const configuration = project.json<NestConfiguration>('/nest-cli.json') ?? {};
  const applications = Object.entries(configuration.projects ?? {}).filter(([, { type }]) => type !== 'library');
  const known = applications.map(([key]) => key);
  if (name !== undefined && !known.includes(name)) {
    throw new Error(`nest-cli.json has no application "${name}". It has: ${known.join(', ') || 'no projects'}.`);
  }
  // The command line writes a folder that it does not know as the text "undefined".
  const given = sourceRoot === 'undefined' ? undefined : sourceRoot;
  const folder = (name === undefined ? given : undefined) ?? configuration.sourceRoot ?? 'src';
  const [key, found] =
    applications.find(([each, it]) =>
      name === undefined ? toPath(it.sourceRoot ?? '') === toPath(folder) : each === name,
    ) ?? [];
  const root = toPath(found?.sourceRoot ?? folder);
  const entryFile = found?.entryFile ?? configuration.entryFile ?? 'main';
  const others = applications
    .map(([, it]) => toPath(it.sourceRoot ?? ''))
    .filter((path) => path !== root && path !== '/');
  return { name: applications.length > 1 ? key : undefined, sourceRoot: root, others, entry: `${root}/${entryFile}` };
}

function toPath(folder: string): string {
  return `/${folder.replace(/^(?:\.?\/)+|\/+$/g, '')}`;
}
