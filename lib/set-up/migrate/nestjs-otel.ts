import type ts from 'typescript';
import { isTypeImport, namedImports, textOf } from '../imports.js';
import type { Project } from '../project.js';
import type { WriteOptions } from '../set-up-application.js';
import type { Source } from '../source.js';
import { migrateSpanArguments } from './span-options.js';

const PACKAGE = 'nestjs-otel';

/** The names of nestjs-otel that have the same meaning under a name of this library. */
const NAMES: Readonly<Record<string, string>> = {
  Span: 'Span',
  Traceable: 'Traceable',
  CurrentSpan: 'CurrentSpan',
  Baggage: 'Baggage',
  TraceService: 'TracingService',
  OpenTelemetryModule: 'TracingModule',
};

/**
 * Replaces nestjs-otel by this library. Returns false if the project does not use it. Its module stays, beside that of this library, where
 * its metrics are used, or if the module of this library is imported already.
 *
 * @param options the options of the module that replaces theirs; undefined if it is imported already
 */
export function migrateNestjsOtel(project: Project, options: WriteOptions | undefined): boolean {
  const sources = project.sourcesWith(/['"]nestjs-otel['"]/);
  const others = new Set(sources.flatMap(importedNames).filter((name) => !(name in NAMES)));
  const names = others.size === 0 && options ? NAMES : { ...NAMES, OpenTelemetryModule: undefined };
  for (const source of sources) migrateFile(project, source, names, options ?? noOptions);
  if (others.size > 0) {
    project.ask(
      `OpenTelemetryModule is kept for ${[...others].join(', ')}. Replace metrics by @Timed() and @Counted(), wide events by TracingService.setAttributes(), and remove it then.`,
    );
  } else if (sources.length > 0 && !options) {
    project.ask('Remove OpenTelemetryModule where it is left: TracingModule is imported already.');
  } else if (sources.length > 0 && project.dependsOn(PACKAGE)) {
    project.ask(`Nothing imports ${PACKAGE} any more: npm uninstall ${PACKAGE}`);
  }
  return sources.length > 0;
}

function noOptions(): string {
  return '';
}

type Names = Readonly<Record<string, string | undefined>>;

function importedNames(source: Source): string[] {
  return importsOf(source).flatMap((declaration) => namedImports(source, declaration).map(nameOf));
}

function importsOf(source: Source): ts.ImportDeclaration[] {
  return source.imports.filter(({ moduleSpecifier }) => textOf(source, moduleSpecifier) === PACKAGE);
}

/** The name under which the package exports a name. */
function nameOf({ name, propertyName }: ts.ImportSpecifier): string {
  return (propertyName ?? name).text;
}

function migrateFile(project: Project, source: Source, names: Names, options: WriteOptions): void {
  const { ts } = source;
  const specifiers = importsOf(source).flatMap((declaration) => namedImports(source, declaration));
  if (specifiers.length === 0) {
    project.ask(`${source.path.slice(1)} uses ${PACKAGE} otherwise than by names of an import.`);
    return;
  }
  const local = new Map(specifiers.map((specifier) => [nameOf(specifier), specifier.name.text]));
  for (const declaration of importsOf(source)) migrateImport(source, declaration, names);
  const replaced = names.OpenTelemetryModule ? migrateModule(project, source, local, options) : [];
  for (const name of ['TraceService', 'OpenTelemetryModule']) {
    const target = names[name];
    if (target !== undefined && local.get(name) === name) rename(source, name, target, replaced);
  }
  migrateCalls(project, source, local.get('TraceService'));
  for (const { expression } of source.find(ts.isDecorator)) {
    if (!ts.isCallExpression(expression)) continue;
    const decorator = expression.expression.getText();
    if (decorator === local.get('Span')) migrateSpanArguments(project, source, expression);
    if (decorator === local.get('Baggage') && expression.arguments.length === 0) {
      project.ask(
        `${source.place(expression)}: @Baggage() is now a plain object of all entries, not the object of the API.`,
      );
    }
  }
  project.save(source);
}

function migrateImport(source: Source, declaration: ts.ImportDeclaration, names: Names): void {
  const elements = namedImports(source, declaration);
  const moved = elements.filter((element) => names[nameOf(element)] !== undefined);
  const kept = elements.filter((element) => !moved.includes(element));
  if (moved.length === 0) return;
  const { newline, quote, semicolon } = source;
  const keyword = isTypeImport(declaration) ? 'import type' : 'import';
  const write = (list: string[], from: string) =>
    `${keyword} { ${list.join(', ')} } from ${quote}${from}${quote}${semicolon}`;
  const imports = [
    write(
      moved.map((element) => movedSpecifier(element, names)),
      'nestjs-tracing',
    ),
  ];
  if (kept.length > 0)
    imports.unshift(
      write(
        kept.map((element) => element.getText()),
        PACKAGE,
      ),
    );
  source.replace(declaration, imports.join(newline));
}

function movedSpecifier(element: ts.ImportSpecifier, names: Names): string {
  const name = names[nameOf(element)] ?? nameOf(element);
  const isType = element.isTypeOnly ? 'type ' : '';
  return element.propertyName ? `${isType}${name} as ${element.name.text}` : `${isType}${name}`;
}

/** Replaces `OpenTelemetryModule.forRoot(…)`, whose options concern metrics only. Returns the calls. */
function migrateModule(
  project: Project,
  source: Source,
  local: ReadonlyMap<string, string>,
  options: WriteOptions,
): ts.CallExpression[] {
  const { ts } = source;
  const name = local.get('OpenTelemetryModule');
  const calls = source.find(ts.isCallExpression).filter(({ expression: callee }) => {
    return ts.isPropertyAccessExpression(callee) && callee.expression.getText() === name;
  });
  for (const call of calls) {
    const target = name === 'OpenTelemetryModule' ? 'TracingModule' : name;
    source.replace(call, `${target}.forRoot(${options(source.quote)})`);
    const given = call.arguments.map((argument) => argument.getText()).join(', ');
    if (given === '' || given === '{}') continue;
    project.ask(
      `${source.place(call)}: the options of OpenTelemetryModule were removed, which set up metrics: ${oneLine(given)}. Metrics are the option "metrics" now.`,
    );
  }
  return calls;
}

function oneLine(code: string): string {
  const text = code.replaceAll(/\s+/g, ' ');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Renames the uses of an imported name. */
function rename(source: Source, name: string, target: string, except: readonly ts.Node[]): void {
  const { ts } = source;
  for (const node of source.find(ts.isIdentifier)) {
    const { parent } = node;
    const isProperty =
      (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
      (ts.isPropertyAssignment(parent) && parent.name === node);
    if (node.text !== name || isProperty || ts.isImportSpecifier(parent)) continue;
    if (except.some((each) => each.pos <= node.pos && node.end <= each.end)) continue;
    source.replace(node, ts.isShorthandPropertyAssignment(parent) ? `${name}: ${target}` : target);
  }
}

/** Rewrites the methods of `TraceService` that have another name, on parameters and properties of that type. */
function migrateCalls(project: Project, source: Source, service: string | undefined): void {
  if (service === undefined) return;
  const { ts } = source;
  const holders = new Set(
    source
      .find((node) => ts.isParameter(node) || ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node))
      .filter((node) => node.type?.getText() === service)
      .map(({ name }) => name.getText()),
  );
  for (const call of source.find(ts.isCallExpression)) {
    const { expression: callee } = call;
    if (!ts.isPropertyAccessExpression(callee)) continue;
    const receiver = callee.expression.getText().replace(/^this\./, '');
    const method = callee.name.text;
    if (method === 'getSpan' && holders.has(receiver)) {
      source.replace(call, `${callee.expression.getText()}.activeSpan`);
    } else if (method === 'getTracer' && holders.has(receiver)) {
      project.ask(
        `${source.place(call)}: TracingService has no getTracer(): use trace.getTracer() of @opentelemetry/api.`,
      );
    } else if (method === 'getSpan' && /trac/i.test(receiver)) {
      project.ask(`${source.place(call)}: getSpan() of TraceService is the property activeSpan of TracingService.`);
    }
  }
}
