import type ts from 'typescript';
import type { Application } from '../nest-project.js';
import type { Project } from '../project.js';
import type { Source } from '../source.js';
import { constructionOf } from './expressions.js';
import {
  findOtherFlags,
  isPreloadOf,
  REGISTER,
  removeFromScripts,
  scriptsThatPreload,
  type IsPreload,
} from './flags.js';
import { findImporters, type Importer } from './importers.js';
import { lostWithAutoInstrumentation } from './instrumentations.js';
import { askForOtherSignals } from './other-signals.js';
import { translateSdkOptions, type Translation } from './sdk-options.js';

/** The beginnings of expressions by which a file starts and stops an SDK, or says so. The messages of this library go to Nest's logger. */
const OF_START =
  /^(?:await |void )?\w+\.start\(\)|^process\s*\.\s*(?:on|once)\(|^diag\s*\.\s*setLogger\(\s*new DiagConsoleLogger\(\)|^console\s*\.\s*\w+\([^()]*\)$/;

/** The result of the migration of preloads. */
export interface PreloadMigration {
  readonly found: boolean;
  /** The options of the module as code, by their names. */
  readonly options: ReadonlyMap<string, string>;
}

/** Removes the files that start an SDK, and what loads them, if nothing is lost by that. */
export function migratePreloads(project: Project, application: Application): PreloadMigration {
  const files = project.sourcesWith(/\bnew\s+NodeSDK\b/);
  const options = new Map<string, string>();
  for (const source of files) {
    for (const [name, code] of migrateStartFile(project, application, source)) options.set(name, code);
  }
  const registers = migrateRegister(project);
  if (files.length > 0 || registers) askToUninstall(project);
  return { found: files.length > 0 || registers, options };
}

/** Returns the options that replace the file: none if it has to stay. */
function migrateStartFile(project: Project, application: Application, source: Source): ReadonlyMap<string, string> {
  const isPreload = isPreloadOf(source.path, application);
  const importers = findImporters(project, source.path);
  const { doubts, options } = translateFile(project, source);
  const all = [
    ...doubts,
    ...importers.flatMap((importer) => importer.doubts),
    ...otherPrograms(project, application, isPreload, importers),
  ];
  const file = source.path.slice(1);
  if (all.length > 0) {
    const known = [...options].map(([name, code]) => `${name}: ${code}`);
    const hint = known.length === 0 ? '' : `\n  The rest would be TracingModule.forRoot({ ${known.join(', ')} }).`;
    project.ask(`${file} is left as it is, because of\n${all.map((doubt) => `  · ${doubt}`).join('\n')}${hint}`);
    return new Map();
  }
  project.delete(source.path);
  for (const { source: importer, statements } of importers) {
    for (const statement of statements) importer.removeStatement(statement);
    project.save(importer);
  }
  removeFlags(project, isPreload, file);
  askForOtherSignals(project, dependenciesOf(project), source.text);
  project.tell(`${file} is removed, and TracingModule has its options.`);
  return options;
}

/** The programs besides the application that start the SDK, and would lose it. */
function otherPrograms(
  project: Project,
  { entry }: Application,
  isPreload: IsPreload,
  importers: readonly Importer[],
): string[] {
  const name = entry.replace(/^.*\//, '');
  const ofApplication = new RegExp(`\\bnest\\s+(?:start|build)\\b|(?:^|[\\s/])${name}(?:\\.[cm]?[jt]s)?(?:\\s|$)`);
  const files = importers.filter(({ source }) => !/\b(?:Nest|Command)Factory\b/.test(source.text));
  const scripts = scriptsThatPreload(project, isPreload).filter(({ script }) => !ofApplication.test(script));
  return [
    ...files.map(({ source }) => `${source.path.slice(1)}, which loads it and does not create the application`),
    ...scripts.map((script) => `the script "${script.name}", which preloads it for another program`),
  ];
}

function removeFlags(project: Project, isPreload: IsPreload, file: string): void {
  removeFromScripts(project, isPreload);
  for (const place of findOtherFlags(project, isPreload)) project.ask(`${place} preloads ${file}: remove the flag.`);
}

/** Removes the preload of auto-instrumentation, which is set up by variables alone. Returns true if there is one. */
function migrateRegister(project: Project): boolean {
  const isRegister = (path: string) => path === REGISTER;
  const places = findOtherFlags(project, isRegister);
  if (places.length === 0 && scriptsThatPreload(project, isRegister).length === 0) return false;
  const lost = lostWithAutoInstrumentation(dependenciesOf(project));
  if (lost.length === 0) {
    removeFlags(project, isRegister, REGISTER);
    askForOtherSignals(project, dependenciesOf(project));
  } else project.ask(`The preload of ${REGISTER} is left, because nestjs-tracing does not trace ${lost.join(', ')}.`);
  return true;
}

function translateFile(project: Project, source: Source): Translation {
  const { ts } = source;
  const creations = source.find(ts.isNewExpression).filter((node) => node.expression.getText() === 'NodeSDK');
  const [creation, ...others] = creations;
  if (!creation || others.length > 0) return { options: new Map(), doubts: ['it creates several SDKs'] };
  const translation = translateSdkOptions(source, creation.arguments?.[0], dependenciesOf(project));
  translation.doubts.push(...otherCode(source).map((node) => `${source.place(node)} has other code`));
  return translation;
}

/** The statements that do something besides setting up, starting and stopping an SDK. */
function otherCode(source: Source): ts.Statement[] {
  const { ts } = source;
  return source.ast.statements.filter((statement) => {
    if (ts.isImportDeclaration(statement))
      return !/@opentelemetry\/|^['"](?:node:)?process['"]$/.test(statement.moduleSpecifier.getText());
    if (ts.isVariableStatement(statement)) {
      return !statement.declarationList.declarations.every(
        ({ initializer }) => initializer && isOfSdk(source, initializer),
      );
    }
    if (ts.isExportAssignment(statement)) return !ts.isIdentifier(statement.expression);
    if (ts.isExportDeclaration(statement)) return statement.moduleSpecifier !== undefined;
    if (!ts.isExpressionStatement(statement)) return true;
    return !OF_START.test(statement.expression.getText());
  });
}

/** True for a literal, or for an object of the SDK: it has no effect besides. */
function isOfSdk(source: Source, initializer: ts.Expression): boolean {
  const { ts } = source;
  if (constructionOf(source, initializer)) return true;
  const isRequire = /^require\(['"]@opentelemetry\//.test(initializer.getText());
  return (
    isRequire ||
    !ts.isCallExpression(initializer) ||
    /^(?:resourceFromAttributes|getNodeAutoInstrumentations)\(/.test(initializer.getText())
  );
}

function dependenciesOf({ manifest }: Project): string[] {
  return Object.keys(manifest.dependencies ?? {});
}

function askToUninstall(project: Project): void {
  const used = (name: string) => project.sourcesWith(new RegExp(`['"]${name}['"/]`)).length > 0;
  const needed = new Set(['@opentelemetry/api', '@opentelemetry/sdk-node']);
  const unused = dependenciesOf(project).filter(
    (name) => name.startsWith('@opentelemetry/') && !needed.has(name) && !used(name) && !isPreloaded(project, name),
  );
  if (unused.length > 0) project.ask(`Nothing imports these packages any more: npm uninstall ${unused.join(' ')}`);
}

function isPreloaded(project: Project, name: string): boolean {
  const isOfPackage = (path: string) => path === name || path.startsWith(`${name}/`);
  return scriptsThatPreload(project, isOfPackage).length > 0 || findOtherFlags(project, isOfPackage).length > 0;
}
