import { basename } from 'node:path';
import type { ApplicationFolder } from '../application-folder.js';
import { ok, warning, type Finding } from '../finding.js';

const FLAG = /(?<![\w-])(?:--require|--import|-r)(?:=|\s+)(["']?)([^\s"']+)\1/g;
/** Packages that register a tracer provider when they are preloaded. */
const AGENTS =
  /^(?:@opentelemetry\/auto-instrumentations-node\/register|dd-trace(?:\/.*)?|newrelic(?:\/.*)?|elastic-apm-node(?:\/.*)?|@sentry\/.*)$/;

const FIX =
  'Its provider would be used in place of the options of TracingModule. Remove it: nest generate --collection nestjs-tracing migrate, and docs/migrating.md.';

/** Checks that no other SDK is started before Nest. */
export function checkPreloads(folder: ApplicationFolder, env: NodeJS.ProcessEnv): Finding[] {
  const starters = folder.sources.filter(({ text }) => /\bnew\s+NodeSDK\b/.test(text));
  const places = [
    { place: 'NODE_OPTIONS', command: env.NODE_OPTIONS ?? '' },
    ...Object.entries(folder.scripts).map(([name, command]) => ({ place: `the script "${name}"`, command })),
  ];
  const flags = places.flatMap(({ command, place }) => {
    const preloaded = [...command.matchAll(FLAG)].map(([, , path = '']) => path);
    const found = preloaded.find(
      (path) => AGENTS.test(path) || starters.some((file) => nameOf(file.path) === nameOf(path)),
    );
    return found === undefined ? [] : [warning('preload', `${place} preloads ${found}.`, FIX)];
  });
  const files = starters.map(({ path }) => {
    return warning('preload', `${path} creates a NodeSDK${importerOf(folder, path)}.`, FIX);
  });
  const registers = folder.sources
    .filter(({ text }) => /['"]@opentelemetry\/auto-instrumentations-node\/register['"]/.test(text))
    .map(({ path }) => warning('preload', `${path} loads auto-instrumentation.`, FIX));
  const found = [...flags, ...files, ...registers];
  return found.length > 0 ? found : [ok('preload', 'no other SDK is started')];
}

function importerOf({ sources }: ApplicationFolder, path: string): string {
  const pattern = new RegExp(
    `['"]\\.[^'"]*/${nameOf(path).replaceAll(/[$()*+.?[\\\]^{|}-]/g, '\\$&')}(?:\\.[cm]?[jt]s)?['"]`,
  );
  const importer = sources.find((source) => source.path !== path && pattern.test(source.text));
  return importer ? `, and ${importer.path} imports it` : '';
}

function nameOf(path: string): string {
  return basename(path).replace(/\.[cm]?[jt]s$/, '');
}
