import type ts from 'typescript';
import { textOf } from '../imports.js';
import type { Project } from '../project.js';
import { resolveModule } from '../resolve-module.js';
import type { Source } from '../source.js';

/** A file that loads the start file of an SDK, with the statements that can go. */
export interface Importer {
  readonly source: Source;
  readonly statements: readonly ts.Statement[];
  /** Uses of the SDK that are not a mere start. */
  readonly doubts: readonly string[];
}

/** Finds the files that load a file. */
export function findImporters(project: Project, path: string): Importer[] {
  const name = path.replace(/^.*\/|\.[cm]?[jt]s$/g, '');
  return project
    .sourcesWith(new RegExp(`['"][^'"]*${name.replaceAll(/[$()*+.?[\\\]^{|}-]/g, '\\$&')}[^'"]*['"]`))
    .filter((source) => source.path !== path)
    .map((source) => importerOf(project, source, path))
    .filter(({ doubts, statements }) => statements.length > 0 || doubts.length > 0);
}

function importerOf(project: Project, source: Source, path: string): Importer {
  const { ts } = source;
  const means = (node: ts.Node | undefined) =>
    node !== undefined &&
    textOf(source, node).startsWith('.') &&
    resolveModule(project, source.path, textOf(source, node)) === path;
  const imports = source.imports.filter(({ moduleSpecifier }) => means(moduleSpecifier));
  const loads = source.find(ts.isCallExpression).filter((call) => isLoader(source, call) && means(call.arguments[0]));
  const loading = loads.map((call) => statementOf(source, call));
  const names = new Set(imports.flatMap((declaration) => localNames(source, declaration)));
  const uses = source
    .find(ts.isIdentifier)
    .filter((node) => names.has(node.text) && !imports.some((each) => each.pos <= node.pos && node.end <= each.end));
  const starts = uses.map((use) => startOf(source, use));
  return {
    source,
    statements: [...imports, ...loading, ...starts].filter((each) => each !== undefined),
    doubts: [
      ...loads.filter((_, index) => !loading[index]).map((call) => `${source.place(call)} uses what the file exports`),
      ...uses.filter((_, index) => !starts[index]).map((use) => `${source.place(use)} uses ${use.text}`),
    ],
  };
}

function isLoader({ ts }: Source, { expression: callee }: ts.CallExpression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

/** Returns the statement that consists of an expression, awaited or not. */
function statementOf({ ts }: Source, expression: ts.Expression): ts.Statement | undefined {
  let node: ts.Node = expression.parent;
  while (ts.isAwaitExpression(node) || ts.isVoidExpression(node)) node = node.parent;
  return ts.isExpressionStatement(node) ? node : undefined;
}

function localNames({ ts }: Source, { importClause }: ts.ImportDeclaration): string[] {
  const bindings = importClause?.namedBindings;
  const named = bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
  const space = bindings && ts.isNamespaceImport(bindings) ? [bindings.name.text] : [];
  return [...(importClause?.name ? [importClause.name.text] : []), ...named, ...space];
}

/** Returns the statement `sdk.start()` or `startTracing()` that a use of a name belongs to. */
function startOf(source: Source, use: ts.Identifier): ts.Statement | undefined {
  const { ts } = source;
  const { parent } = use;
  if (ts.isCallExpression(parent) && parent.expression === use && parent.arguments.length === 0)
    return statementOf(source, parent);
  const isStart = ts.isPropertyAccessExpression(parent) && parent.expression === use && parent.name.text === 'start';
  return isStart && ts.isCallExpression(parent.parent) ? statementOf(source, parent.parent) : undefined;
}
