import { findEntry, findRootModule, type Entry } from './find-root-module.js';
import { importTracingModule } from './import-module.js';
import type { Application } from './nest-project.js';
import type { Project } from './project.js';
import { enableShutdownHooks } from './shutdown-hooks.js';
import type { Source } from './source.js';

/** What a developer has to write where the form of the code is not known. */
const BY_HAND =
  "import { TracingModule } from 'nestjs-tracing', and put TracingModule.forRoot() first into the imports of the root module";

/** Writes options as code. */
export type WriteOptions = (quote: string) => string;

/**
 * Imports `TracingModule` into the root module of an application, and enables shutdown hooks.
 *
 * @param options returns the options of the module as code, with the quotes of the file; empty if there are none
 */
export function setUpApplication(project: Project, application: Application, options: WriteOptions): void {
  const entry = findEntry(project, application);
  if (!entry) {
    project.ask(`No call of NestFactory.create() was found below ${application.sourceRoot.slice(1)}: ${BY_HAND}.`);
    return;
  }
  importInto(project, application, entry, options);
  addShutdownHooks(project, entry);
}

function importInto(project: Project, { sourceRoot }: Application, entry: Entry, options: WriteOptions): void {
  const present = findTracingModule(project, sourceRoot);
  if (present) {
    project.tell(`${present.path.slice(1)} imports TracingModule already.`);
    return;
  }
  const root = findRootModule(project, entry);
  if (!root) {
    project.ask(`The root module of ${entry.path.slice(1)} was not found: ${BY_HAND}.`);
    return;
  }
  if (importTracingModule(root, `TracingModule.forRoot(${options(root.source.quote)})`)) project.save(root.source);
  else project.ask(`The metadata of @Module() in ${root.source.path.slice(1)} is no object literal: ${BY_HAND}.`);
}

function addShutdownHooks(project: Project, entry: Entry): void {
  // The root module may be in the same file, which has been edited then.
  const current = project.source(entry.path);
  if (!current) return;
  const calls = current.find(current.ts.isCallExpression);
  const call = calls.find((each) => each.getText() === entry.call.getText());
  const result = call ? enableShutdownHooks({ path: entry.path, source: current, call }) : 'unknown';
  if (result === 'added') project.save(current);
  if (result === 'unknown') {
    project.ask(
      `Call enableShutdownHooks() of the application in ${entry.path.slice(1)}, or a signal loses the last spans.`,
    );
  }
}

/** Finds a file below a folder that creates `TracingModule`: not in a comment, and not for a test. */
export function findTracingModule(project: Project, folder: string): Source | undefined {
  return project
    .sourcesWith(/\bTracingModule\b/, folder)
    .filter(({ path }) => !/[.-](?:spec|test)\./.test(path))
    .find((source) => {
      const accesses = source.find(source.ts.isPropertyAccessExpression);
      return accesses.some((node) => /^TracingModule\s*\.\s*forRoot(?:Async)?$/.test(node.getText()));
    });
}
