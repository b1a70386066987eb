/**
 * Checks the imports between the parts of lib/ against the table below, and that no imports form a cycle.
 *
 *   node scripts/check-architecture.mjs [folder that holds lib/]
 */
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import process from 'node:process';
import ts from 'typescript';
import { root } from './support/run.mjs';

/** The folders of integrations, and of what else starts operations. None may import another. */
const INTEGRATIONS = [
  'decorators/',
  'handlers/',
  'http/',
  'grpc/',
  'messaging/',
  'data/',
  'jobs/',
  'events/',
  'lifecycle/',
  'websockets/',
  'graphql/',
  'logs/',
];

/** The parts of lib/, innermost first, and the parts each may import. Every part may import itself. */
const parts = [
  { name: 'errors', files: /^tracing\.errors\.ts$/, mayImport: [] },
  { name: 'core/', files: /^core\//, mayImport: [] },
  { name: 'packages/', files: /^packages\//, mayImport: ['core/', 'errors'] },
  { name: 'propagation/', files: /^propagation\//, mayImport: ['core/'] },
  { name: 'resolver', files: /^options\/(resolve|check)-options\.ts$/, mayImport: ['options', 'options/', 'errors'] },
  // A group may import itself and the shared parts, but not the complete options, neither as written nor as resolved.
  { name: 'options/', files: /^options\//, mayImport: ['core/', 'packages/', 'errors'] },
  { name: 'options', files: /^tracing\.options\.ts$/, mayImport: ['options/'] },
  { name: 'runtime', files: /^tracing\.runtime\.ts$/, mayImport: ['core/', 'options/'] },
  ...INTEGRATIONS.map((name) => ({
    name,
    files: new RegExp(`^${name}`),
    mayImport: ['core/', 'options/', 'errors'],
  })),
  { name: 'tracer/', files: /^tracer\//, mayImport: ['core/', 'propagation/', 'options/'] },
  { name: 'sampling/', files: /^sampling\//, mayImport: ['core/', 'propagation/', 'options/', 'tracer/'] },
  {
    name: 'export/',
    files: /^export\//,
    mayImport: ['core/', 'packages/', 'options/', 'resolver', 'runtime', 'tracer/', 'errors'],
  },
  { name: 'metrics/', files: /^metrics\//, mayImport: ['core/', 'packages/', 'options/', 'runtime', 'errors'] },
  {
    name: 'sdk/',
    files: /^sdk\//,
    mayImport: [
      'core/',
      'packages/',
      'propagation/',
      'tracer/',
      'sampling/',
      'export/',
      'options/',
      'resolver',
      'runtime',
      'errors',
    ],
  },
  // The commands for developers. An application loads neither.
  { name: 'set-up/', files: /^set-up\//, mayImport: [] },
  { name: 'doctor/', files: /^doctor\//, mayImport: ['core/', 'options/', 'resolver', 'export/'] },
  { name: 'integrations', files: /^integrations\.ts$/, mayImport: 'all' },
  { name: 'application-start', files: /^application-start\.ts$/, mayImport: ['core/'] },
  { name: 'override', files: /^tracing\.override\.ts$/, mayImport: ['options', 'resolver'] },
  {
    name: 'start-report',
    files: /^start-report\.ts$/,
    mayImport: ['core/', 'resolver', 'sdk/', 'application-start'],
  },
  { name: 'service', files: /^tracing\.service\.ts$/, mayImport: ['core/', 'options/', 'runtime'] },
  { name: 'module', files: /^tracing\.module(-definition)?\.ts$/, mayImport: 'all' },
  { name: 'index', files: /^index\.ts$/, mayImport: 'all' },
  // A subpath of the package. It gets the module, the service and the errors from the index: see scripts/build/testing.mjs.
  {
    name: 'testing/',
    files: /^testing\//,
    mayImport: ['options/', 'options', 'resolver', 'override', 'runtime', 'service', 'module', 'errors'],
  },
];

/** The packages that `core/` may use: it must stay usable wherever the OpenTelemetry API is. */
const corePackages = [/^@opentelemetry\/(api|semantic-conventions)$/, /^rxjs$/, /^reflect-metadata$/];
const coreTypePackages = [/^@nestjs\//];

/** Packages that depend on the SDK: only `sdk/` may use them. */
const sdkPackages = /^@opentelemetry\/(?!(api|semantic-conventions)$)/;
const sdkTypesAllowed = [{ file: 'options/sdk-types.ts', package: '@opentelemetry/sdk-node' }];

/** Packages that an application may lack, or that load slowly. The index must not load them. */
const lazyPackages = [
  sdkPackages,
  /^@nestjs\/(microservices|axios|terminus|websockets|graphql|apollo|mercurius)$/,
  /^@grpc\//,
  /^prom-client$/,
];

const libFolder = join(process.argv[2] ?? root, 'lib');
const files = readdirSync(libFolder, { encoding: 'utf8', recursive: true })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /\.[cm]?ts$/.test(file))
  .toSorted();
const imports = new Map(files.map((file) => [file, importsOf(file)]));

const problems = [...files.flatMap(problemsOf), ...eagerLoads(), ...cycles()];
for (const problem of problems) console.error(problem);
console.log(`${files.length} files, ${problems.length} architecture problems`);
process.exit(problems.length > 0 ? 1 : 0);

function problemsOf(file) {
  const part = partOf(file);
  if (!part) return [`lib/${file} belongs to no part: add it to the table in this script`];
  return imports.get(file).flatMap((edge) => {
    const problem = edge.target ? internalProblem(part, edge) : packageProblem(file, part, edge);
    return problem ? [`lib/${file}:${edge.line} ${problem}`] : [];
  });
}

function internalProblem(part, { target, specifier }) {
  if (!imports.has(target)) return `imports ${specifier}, which is no file of lib/`;
  const other = partOf(target);
  if (!other || other === part) return undefined;
  if (other.name === 'index') return 'imports the index: import the file that declares the name';
  if (part.mayImport === 'all' || part.mayImport.includes(other.name)) return undefined;
  const allowed = part.mayImport.join(', ') || 'nothing';
  return `imports lib/${target}: ${part.name} may import ${allowed} and itself`;
}

function packageProblem(file, part, { specifier, typeOnly }) {
  const name = packageName(specifier);
  if (isBuiltin(specifier)) return undefined;
  if (part.name === 'core/') {
    const allowed = typeOnly ? [...corePackages, ...coreTypePackages] : corePackages;
    return allowed.some((pattern) => pattern.test(name))
      ? undefined
      : `imports ${specifier}: core/ may import the OpenTelemetry API, semantic conventions, rxjs, reflect-metadata, Node, and types of Nest`;
  }
  if (part.name === 'propagation/' && name !== '@opentelemetry/api') {
    return `imports ${specifier}: propagation/ may import the OpenTelemetry API and Node`;
  }
  if (sdkPackages.test(name) && part.name !== 'sdk/') {
    const allowed = sdkTypesAllowed.some((it) => it.file === file && it.package === specifier);
    return allowed && typeOnly ? undefined : `imports ${specifier}: only sdk/ may know the SDK`;
  }
  return undefined;
}

/** Follows the imports that run as soon as the index is loaded. */
function eagerLoads() {
  const reached = new Set();
  const found = [];
  visit('index.ts');
  return found;

  function visit(file) {
    if (reached.has(file) || !imports.has(file)) return;
    reached.add(file);
    for (const { specifier, target, typeOnly, lazy, line } of imports.get(file)) {
      if (typeOnly || lazy) continue;
      if (target) visit(target);
      else if (lazyPackages.some((pattern) => pattern.test(packageName(specifier)))) {
        found.push(`lib/${file}:${line} loads ${specifier} together with the index: load it where it is used`);
      }
    }
  }
}

/** Finds cycles, also of types: two files that need each other's types should be one file, or three. */
function cycles() {
  const done = new Set();
  const found = [];
  for (const file of files) visit(file, []);
  return found;

  function visit(file, path) {
    if (path.includes(file)) {
      const cycle = [...path.slice(path.indexOf(file)), file];
      found.push(`import cycle: ${cycle.map((it) => `lib/${it}`).join(' → ')}`);
      return;
    }
    if (done.has(file) || !imports.has(file)) return;
    for (const { target } of imports.get(file)) {
      if (target) visit(target, [...path, file]);
    }
    done.add(file);
  }
}

function importsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(join(libFolder, file), 'utf8'), ts.ScriptTarget.Latest);
  const found = [];
  visit(source);
  return found;

  function visit(node) {
    const edge = edgeOf(node);
    if (edge && ts.isStringLiteralLike(edge.specifier)) {
      const specifier = edge.specifier.text;
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      found.push({ ...edge, specifier, line, target: resolve(file, specifier) });
    }
    ts.forEachChild(node, visit);
  }
}

function edgeOf(node) {
  if (ts.isImportDeclaration(node)) {
    return {
      specifier: node.moduleSpecifier,
      typeOnly: importsTypesOnly(node.importClause),
      lazy: false,
    };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    return { specifier: node.moduleSpecifier, typeOnly: exportsTypesOnly(node), lazy: false };
  }
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
    return { specifier: node.moduleReference.expression, typeOnly: node.isTypeOnly, lazy: false };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: node.argument.literal, typeOnly: true, lazy: false };
  }
  if (ts.isCallExpression(node) && isLoader(node.expression) && node.arguments[0]) {
    return { specifier: node.arguments[0], typeOnly: false, lazy: true };
  }
  return undefined;
}

function importsTypesOnly(clause) {
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings;
  return (
    !clause.name &&
    !!named &&
    ts.isNamedImports(named) &&
    named.elements.length > 0 &&
    named.elements.every((it) => it.isTypeOnly)
  );
}

function exportsTypesOnly(node) {
  const named = node.exportClause;
  return (
    node.isTypeOnly ||
    (!!named && ts.isNamedExports(named) && named.elements.length > 0 && named.elements.every((it) => it.isTypeOnly))
  );
}

function isLoader(callee) {
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(callee) && /^(require|nodeRequire)$/.test(callee.text))
  );
}

function resolve(file, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const path = posix.join(posix.dirname(file), specifier);
  return path.replace(/\.([cm]?)js$/, '.$1ts');
}

function partOf(file) {
  return parts.find((part) => part.files.test(file));
}

function packageName(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function isBuiltin(specifier) {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}
