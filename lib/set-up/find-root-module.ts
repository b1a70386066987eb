import type ts from 'typescript';
import { textOf } from './imports.js';
import type { Application } from './nest-project.js';
import type { Project } from './project.js';
import { resolveModule, SOURCE_EXTENSIONS } from './resolve-module.js';
import type { Source } from './source.js';

/** The methods of Nest that create an application of a root module. */
const CREATING = new Set(['create', 'createMicroservice', 'createApplicationContext', 'run', 'runWithoutClosing']);
const FACTORIES = new Set(['NestFactory', 'CommandFactory']);

/** The file that starts an application, and the call of Nest there. */
export interface Entry {
  readonly path: string;
  readonly source: Source;
  readonly call: ts.CallExpression;
}

/** Finds the file that starts an application: the entry file of nest-cli.json, else the only file that creates an application. */
export function findEntry(project: Project, { entry, sourceRoot }: Application): Entry | undefined {
  for (const extension of SOURCE_EXTENSIONS) {
    const source = project.source(entry + extension);
    const found = source && entryOf(source);
    if (found) return found;
  }
  const others = project
    .sourcesWith(/\b(?:Nest|Command)Factory\b/, sourceRoot)
    .filter(({ path }) => !/[.-](?:spec|test)\./.test(path))
    .map(entryOf)
    .filter((found) => found !== undefined);
  return others.length === 1 ? others[0] : undefined;
}

function entryOf(source: Source): Entry | undefined {
  const call = source.find(source.ts.isCallExpression).find(({ expression: callee }) => {
    if (!source.ts.isPropertyAccessExpression(callee) || !source.ts.isIdentifier(callee.expression)) return false;
    return FACTORIES.has(callee.expression.text) && CREATING.has(callee.name.text);
  });
  return call && { path: source.path, source, call };
}

/** A class in its file. */
export interface FoundClass {
  readonly source: Source;
  readonly declaration: ts.ClassDeclaration;
}

/** Finds the class of the root module that a call of Nest names. */
export function findRootModule(project: Project, { call, source }: Entry): FoundClass | undefined {
  const [argument] = call.arguments;
  const name = argument && nameOf(source, argument);
  return name === undefined ? undefined : findClass(project, source, name, 0);
}

/** Returns the name of a module, also of one with options: `AppModule.forRoot()`. */
function nameOf(source: Source, expression: ts.Expression): string | undefined {
  if (source.ts.isIdentifier(expression)) return expression.text;
  if (source.ts.isCallExpression(expression)) return nameOf(source, expression.expression);
  if (source.ts.isPropertyAccessExpression(expression)) return nameOf(source, expression.expression);
  return undefined;
}

/** Follows imports and re-exports to the class that a file knows by a name. */
function findClass(project: Project, source: Source, name: string, depth: number): FoundClass | undefined {
  const { ast, ts } = source;
  const declaration = ast.statements.find(
    (statement) =>
      ts.isClassDeclaration(statement) &&
      (statement.name?.text === name || (name === 'default' && isDefault(source, statement))),
  );
  if (declaration) return { source, declaration: declaration as ts.ClassDeclaration };
  if (depth > 5) return undefined;
  for (const { from, original } of waysTo(source, name)) {
    const path = resolveModule(project, source.path, from);
    const next = path === undefined ? undefined : project.source(path);
    const found = next && findClass(project, next, original, depth + 1);
    if (found) return found;
  }
  return undefined;
}

function isDefault({ ts }: Source, statement: ts.ClassDeclaration): boolean {
  return !!statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
}

/** The modules from which a file may have a name, and the name there. */
function waysTo(source: Source, name: string): { from: string; original: string }[] {
  const { ts } = source;
  return source.ast.statements.flatMap((statement) => {
    if (ts.isImportDeclaration(statement)) {
      const from = textOf(source, statement.moduleSpecifier);
      const bindings = statement.importClause?.namedBindings;
      if (statement.importClause?.name?.text === name) return [{ from, original: 'default' }];
      return bindings && ts.isNamedImports(bindings) ? named(bindings.elements, from, name) : [];
    }
    if (ts.isExportDeclaration(statement) && statement.moduleSpecifier) {
      const from = textOf(source, statement.moduleSpecifier);
      if (!statement.exportClause) return [{ from, original: name }];
      return ts.isNamedExports(statement.exportClause) ? named(statement.exportClause.elements, from, name) : [];
    }
    return [];
  });
}

function named(
  specifiers: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[],
  from: string,
  name: string,
): { from: string; original: string }[] {
  return specifiers
    .filter((specifier) => specifier.name.text === name)
    .map((specifier) => ({ from, original: (specifier.propertyName ?? specifier.name).text }));
}
