import type { Schematic } from './file-tree.js';
import { loadTypeScript } from './load-typescript.js';
import { migrateNestjsOtel } from './migrate/nestjs-otel.js';
import { migratePreloads } from './migrate/preload.js';
import { findApplication, type SetUpOptions } from './nest-project.js';
import { Project } from './project.js';
import { findTracingModule, setUpApplication } from './set-up-application.js';

/**
 * `nest generate --collection nestjs-tracing migrate`: replaces nestjs-otel and a preloaded SDK. It changes only what is certain, and
 * lists the rest.
 */
export function migrate(options: SetUpOptions): Schematic {
  return (tree, context) => {
    const project = new Project(tree, loadTypeScript(process.cwd()));
    const application = findApplication(project, options);
    project.exclude(application.others);
    const preloads = migratePreloads(project, application);
    const entries = new Map(preloads.options);
    if (application.name !== undefined && !entries.has('serviceName'))
      entries.set('serviceName', `'${application.name}'`);
    const code = [...entries].map(([name, value]) => `${name}: ${value}`).join(', ');
    const writeOptions = (quote: string) => (code === '' ? '' : `{ ${withQuotes(code, quote)} }`);
    const isSetUp = findTracingModule(project, application.sourceRoot) !== undefined;
    const usesNestjsOtel = migrateNestjsOtel(project, isSetUp ? undefined : writeOptions);
    if (!preloads.found && !usesNestjsOtel) {
      context.logger.info('Neither nestjs-otel nor a file that starts NodeSDK was found.');
      return;
    }
    setUpApplication(project, application, writeOptions);
    if (code !== '' && isSetUp) {
      project.ask(`Give TracingModule the options of the preload: TracingModule.forRoot({ ${code} }).`);
    }
    project.report(context, 'Look at these yourself:');
  };
}

/** Returns code with the quotes of a file. A template, in which quotes are text, is left as it is. */
function withQuotes(code: string, quote: string): string {
  return quote === "'" || code.includes('`') ? code : code.replaceAll(/'([^'"\\]*)'/g, `${quote}$1${quote}`);
}
