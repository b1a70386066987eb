import type { ApplicationFolder } from '../application-folder.js';
import { error, ok, warning, type Finding } from '../finding.js';
import { findPackage } from '../installed-packages.js';

/** Marks a file that may have options. */
const OPTIONS = /\bTracing(?:Module|Options)\w*\b/;

/** Checks that the sources import the module, and have what its options need. */
export function checkModule(folder: ApplicationFolder): Finding[] {
  const first = folder.sources.find(({ text }) => /\bTracingModule\s*\.\s*forRoot/.test(text));
  if (!first) {
    return [
      error(
        'module',
        'No source imports TracingModule.',
        'nest add nestjs-tracing, or TracingModule.forRoot() in the imports of the root module',
      ),
    ];
  }
  return [
    ok('module', `${first.path} imports TracingModule`),
    ...checkShutdown(folder),
    ...checkOptionalPackages(folder),
  ];
}

/** Returns the path of a file that seems to give the option `exporter`. */
export function findExporterOption({ sources }: ApplicationFolder): string | undefined {
  return sources.find(({ text }) => OPTIONS.test(text) && /\bexporter\s*:/.test(text))?.path;
}

function checkShutdown({ sources }: ApplicationFolder): Finding[] {
  const hook = sources.find(({ text }) => /\benableShutdownHooks\b|\bonProcessExit\b|\bCommandFactory\b/.test(text));
  if (hook) return [ok('shutdown', `${hook.path} exports the last spans at the end`)];
  return [
    warning(
      'shutdown',
      'A signal ends the process without the last spans.',
      'Call app.enableShutdownHooks() in main.ts.',
    ),
  ];
}

/** Checks the packages that only an option needs. The options are looked for in the text of the files that may hold them. */
function checkOptionalPackages({ path, sources }: ApplicationFolder): Finding[] {
  const texts = sources.filter(({ text }) => OPTIONS.test(text));
  const wanted = [
    {
      name: 'prom-client',
      place: texts.find(({ text }) => /\bmetrics:\s*\{/.test(text) && !/\btype:\s*['"]opentelemetry['"]/.test(text))
        ?.path,
      option: 'metrics',
    },
    {
      name: '@opentelemetry/exporter-jaeger',
      // A collector, which has an endpoint, needs no package.
      place: texts.find(({ text }) => /\b(?:type|exporter):\s*['"]jaeger['"]/.test(text) && !/\bendpoint:/.test(text))
        ?.path,
      option: 'exporter',
    },
  ];
  return wanted.flatMap(({ name, option, place }) => {
    if (place === undefined || findPackage(path, name)) return [];
    return [
      error(
        'packages',
        `The option ${option} in ${place} needs ${name}, which is not installed.`,
        `npm install ${name}`,
      ),
    ];
  });
}
