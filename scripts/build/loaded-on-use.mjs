/**
 * Most of the library, and OpenTelemetry's API, are loaded when they are used for the first time: an application that has tracing disabled
 * loads neither. lib/ imports them like anything else. In the package, modules stand in for them that load what they stand in for.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile, libFolder } from './typescript.mjs';

/**
 * The modules of lib/ that are needed only if tracing is enabled. Whatever only they import is loaded with them. The other modules may
 * import functions of them, and nothing else.
 */
const MODULES = [
  'sdk/bootstrap.ts',
  'integrations.ts',
  'options/resolve-options.ts',
  'start-report.ts',
  'grpc/traced-grpc-options.ts',
  'data/trace-pool.ts',
].map((file) => join(libFolder, file));
const API = '@opentelemetry/api';

/** The names of the files, without extension. They begin with the name of the package: `core/own-frames.ts` looks for it in stack traces. */
export const CORE_FILE = 'nestjs-tracing.core';
export const ENABLED_FILE = 'nestjs-tracing.enabled';

/** The id of a module that exports everything of `MODULES`. */
export const ENABLED = '\0enabled';
/** The ids of modules that stand in for another one begin with this. */
const STAND_IN = '\0stand-in:';
const LOAD_API = '\0load-api';
const LOAD_ENABLED = '\0load-enabled';

/** The packages that what is loaded on use gets from the code which loads it: they may be ES modules, or parts of a bundled application. */
const SHARED_PACKAGES = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];

/**
 * The file that loads the others: only `require` loads a file at once, and only CommonJS has it. The paths are literals, so that a bundler
 * of the application finds them.
 */
export const LOADERS = `'use strict';
const here = typeof __filename === 'string' ? __filename : process.cwd() + '/';
exports.nodeRequire = require('node:module').createRequire(here);
exports.loadApi = () => require('${API}');
exports.loadEnabled = () => require('./${ENABLED_FILE}.cjs');
`;

/**
 * Returns the file that is loaded on use, as a function with the `require` and `exports` of whatever loads it. So one file serves both
 * module formats, and gets the same instances of the packages as they have.
 */
export function enabledFile(commonJs) {
  return `'use strict';\nexports.run = (function (require, exports) {\n${commonJs}\n});\n`;
}

/** True for a package that is loaded on use. */
export function isLoadedOnUse(id) {
  return id === API;
}

export function loadedOnUse() {
  return {
    name: 'loaded-on-use',
    resolveId(source, importer) {
      if (source.startsWith('\0')) return source;
      if (source === './load.cjs' || source === `./${CORE_FILE}.js`) return { id: source, external: 'relative' };
      if (source === API) return STAND_IN + API;
      if (!importer?.endsWith('.ts')) return undefined;
      const file = join(importer, '..', source.replace(/\.js$/, '.ts'));
      if (file === join(libFolder, 'packages/require.ts')) return LOAD_API;
      return MODULES.includes(file) && !MODULES.includes(importer) ? STAND_IN + file : undefined;
    },
    load(id) {
      if (id === ENABLED) return MODULES.map((file) => `export * from ${JSON.stringify(file)};`).join('\n');
      if (id === LOAD_API) return `import loaders from './load.cjs'; export const { loadApi, nodeRequire } = loaders;`;
      if (id === LOAD_ENABLED) return loadEnabled;
      if (id === STAND_IN + API) return standInForApi();
      if (id.startsWith(STAND_IN)) return standInFor(id.slice(STAND_IN.length));
      return undefined;
    },
  };
}

const loadEnabled = `import loaders from './load.cjs';
${SHARED_PACKAGES.map((name, index) => `import * as package${index} from '${name}';`).join('\n')}
import * as core from './${CORE_FILE}.js';
import { useApi } from '${STAND_IN}${API}';
let loaded;
export function enabled() {
  if (!loaded) {
    useApi();
    const exports = {};
    const shared = {
      './${CORE_FILE}.cjs': core,
      ${SHARED_PACKAGES.map((name, index) => `'${name}': package${index},`).join(' ')}
    };
    loaders.loadEnabled().run((name) => shared[name] ?? loaders.nodeRequire(name), exports);
    // Not before: if it fails to load, the next use must fail as well.
    loaded = exports;
  }
  return loaded;
}`;

/** A module with functions of the same names, which load the module and call its functions. */
function standInFor(file) {
  const names = [...compile(file).matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name);
  const functions = names.map((name) => `export function ${name}(...args) { return enabled().${name}(...args); }`);
  return [`import { enabled } from '${LOAD_ENABLED}';`, ...functions].join('\n');
}

/**
 * A module with variables of the same names as those of the API. Each has a proxy until one of them is used: then all get what they stand
 * for. The constants are those of the specification.
 */
async function standInForApi() {
  const api = await import(API);
  const used = apiNamesIn(libFolder);
  used.delete('createContextKey');
  const constants = [...used].filter((name) => isConstant(api[name]));
  const others = [...used].filter((name) => !isConstant(api[name]));
  return `import { loadApi } from '${LOAD_API}';
${constants.map((name) => `export const ${name} = ${JSON.stringify(api[name])};`).join('\n')}
/** As the API does, so that all copies of a package have the same key. */
export const createContextKey = (description) => Symbol.for(description);
${others.map((name) => `export let ${name} = standIn(${JSON.stringify(name)});`).join('\n')}
let api;
export function useApi() {
  if (!api) {
    api = loadApi();
    ({ ${others.join(', ')} } = api);
  }
  return api;
}
function standIn(name) {
  return new Proxy(() => {}, {
    get(_, key) {
      const target = useApi()[name];
      return typeof target[key] === 'function' ? target[key].bind(target) : target[key];
    },
    apply: (_, self, args) => useApi()[name](...args),
  });
}`;
}

/** True for an object of numbers and strings, such as an enumeration. */
function isConstant(value) {
  const isPlain = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && Object.values(value).every((it) => typeof it === 'number' || typeof it === 'string');
}

/** Returns the names that the files of lib/ import from the API, types aside. */
function apiNamesIn(folder) {
  const code = readdirSync(folder, { encoding: 'utf8', recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => compile(join(folder, file)))
    .join('\n');
  const imports = [...code.matchAll(/^import \{([^}]+)\} from '@opentelemetry\/api';/gm)];
  const names = imports.flatMap(([, list]) => list.split(',').map((name) => name.trim().split(' as ')[0]));
  return new Set(names.filter(Boolean));
}
