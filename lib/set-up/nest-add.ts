import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addBackends, type Backends, type Templates } from './backends.js';
import { addToEnvironmentExample } from './environment-example.js';
import type { Schematic } from './file-tree.js';
import { loadTypeScript } from './load-typescript.js';
import { findApplication, type Application, type SetUpOptions } from './nest-project.js';
import { Project } from './project.js';
import { setUpApplication } from './set-up-application.js';

interface NestAddOptions extends SetUpOptions {
  /** The backends to start by a compose file. `true` if none is named. */
  readonly compose?: Backends | boolean | '';
}

/** The packages that npm installs beside the library, which other package managers may leave out. */
const PEERS = [
  ['@opentelemetry/api', '1.9'],
  ['@opentelemetry/sdk-node', '0.223'],
] as const;

/** `nest add nestjs-tracing`: sets up an application. A second run changes nothing. */
export function nestAdd(options: NestAddOptions): Schematic {
  return (tree, context) => {
    const project = new Project(tree, loadTypeScript(process.cwd()));
    const application = findApplication(project, options);
    setUpApplication(project, application, (quote) => optionsOf(application, quote));
    addToEnvironmentExample(project, application);
    const backends = backendsOf(options.compose);
    if (backends) addBackends(project, application, backends, packageTemplates);
    askForPeers(project);
    project.report(context, 'Left to you:');
    context.logger.info('Check the set-up with: npx nestjs-tracing doctor');
  };
}

/** The applications of a monorepo share a package.json, by whose name they would all be called. */
function optionsOf({ name }: Application, quote: string): string {
  return name === undefined ? '' : `{ serviceName: ${quote}${name}${quote} }`;
}

function backendsOf(option: NestAddOptions['compose']): Backends | undefined {
  // A flag without a value comes as an empty text from some versions of the command line.
  if (option === true || option === '') return 'jaeger';
  return option === false ? undefined : option;
}

/** The files are beside the code of the schematics in the package. */
function packageTemplates(): Templates {
  const folder = new URL('observability/', import.meta.url);
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) =>
    relative(fileURLToPath(folder), join(entry.parentPath, entry.name)).replaceAll('\\', '/'),
  );
  return { paths, read: (path) => readFileSync(new URL(path, folder), 'utf8') };
}

function askForPeers(project: Project): void {
  const { resolve } = createRequire(import.meta.url);
  const missing = PEERS.filter(([name]) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  project.ask(
    `Install what nestjs-tracing needs: ${installer(project)} ${missing.map((peer) => peer.join('@')).join(' ')}`,
  );
}

function installer(project: Project): string {
  if (project.read('/pnpm-lock.yaml') !== undefined) return 'pnpm add';
  if (project.read('/yarn.lock') !== undefined) return 'yarn add';
  if (project.read('/bun.lock') !== undefined) return 'bun add';
  return 'npm install';
}
