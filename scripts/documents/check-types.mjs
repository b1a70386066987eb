/**
 * Compiles the TypeScript in documents. There are two kinds of blocks:
 *
 * - A block that imports anything is a whole file. It must compile as a reader pastes it: with all of its imports, and nothing that it does
 *   not declare.
 * - Any other block is a fragment of an application. It may use the names that test/documents exports: those of Nest, of OpenTelemetry and
 *   of this library, and the classes and variables of the application from which the examples are taken.
 *
 * In both, `nestjs-tracing` is the source in lib/.
 */
import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../support/run.mjs';

const folder = join(root, 'test/documents');

/** The folder in which the files of a document stand, if they are not those of an application, and the names of its fragments. */
const SPECIAL = {
  'docs/adding-an-integration.md': { folder: join(root, 'lib/pigeon'), names: '../../test/documents/integration.js' },
};

/** A type in a decorated signature must be imported as a type. No reader sees the imports of a fragment. */
const TYPE_IN_SIGNATURE = 1272;

/** @param documents the blocks of each document, by its path: `{ path, blocks }` */
export function typeProblems(documents) {
  const files = new Map();
  for (const { path, blocks } of documents) {
    for (const block of blocks.filter(({ language }) => ['ts', 'typescript'].includes(language))) {
      const { folder: at, names } = SPECIAL[path] ?? { folder, names: './application.js' };
      const name = `${path.replaceAll(/\W+/g, '-')}-${block.line}.ts`;
      const file = join(at, name).replaceAll('\\', '/');
      files.set(file, { path, block, isFragment: !importsAnything(block.text), code: completed(block.text, names) });
    }
  }
  const program = createProgram(files);
  return [...files].flatMap(([file, { path, block, isFragment }]) => {
    const source = program.getSourceFile(file);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found
      .filter(({ code }) => !(isFragment && code === TYPE_IN_SIGNATURE))
      .map((diagnostic) => {
        const { line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
        const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n  ');
        const last = block.text.split('\n').length - 1;
        return `${path}:${block.line + Math.min(line, last)} ${text}`;
      });
  });
}

/** Appends the import of the names that a fragment uses without declaring them. At the end, it changes the number of no line. */
function completed(text, names) {
  if (importsAnything(text)) return text;
  const source = parse(text);
  const missing = new Set();
  visit(source);
  return `${text}\nimport { ${[...missing].join(', ')} } from '${names}';`;

  function visit(node) {
    if (ts.isIdentifier(node) && isReference(node) && !isGlobal(node.text) && !isDeclared(node)) missing.add(node.text);
    ts.forEachChild(node, visit);
  }
}

/** True if a name is declared where it is used: in the same block or function, or around it. */
function isDeclared({ text, parent: user }) {
  for (let scope = user; scope; scope = scope.parent) {
    if (declarationsIn(scope).some(({ name }) => name && ts.isIdentifier(name) && name.text === text)) return true;
  }
  return false;
}

/** Returns the declarations whose names are known within a node, and not outside of it. */
function declarationsIn(scope) {
  const statements = ts.isSourceFile(scope) || ts.isBlock(scope) ? scope.statements : [];
  const variables = statements
    .filter((it) => ts.isVariableStatement(it))
    .flatMap((it) => it.declarationList.declarations);
  return [...statements, ...variables, ...(scope.parameters ?? []), ...(scope.typeParameters ?? [])].flatMap(
    bindingsOf,
  );
}

/** Returns what a declaration declares: itself, or each name of its pattern. */
function bindingsOf(declaration) {
  return declaration.name?.elements ? declaration.name.elements.flatMap(bindingsOf) : [declaration];
}

function importsAnything(text) {
  return parse(text).statements.some((statement) => ts.isImportDeclaration(statement));
}

function parse(text) {
  return ts.createSourceFile('block.ts', text, ts.ScriptTarget.Latest, true);
}

/** True if an identifier refers to a variable or a type, rather than to a member or a key. */
function isReference(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isMetaProperty(parent)) return parent.name !== node;
  if (ts.isQualifiedName(parent)) return parent.right !== node;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isLabeledStatement(parent)) return parent.label !== node;
  if (ts.isNamedTupleMember(parent)) return parent.name !== node;
  const isNamed =
    ts.isVariableDeclaration(parent) ||
    ts.isParameter(parent) ||
    ts.isClassDeclaration(parent) ||
    ts.isFunctionDeclaration(parent) ||
    ts.isInterfaceDeclaration(parent) ||
    ts.isTypeAliasDeclaration(parent) ||
    ts.isTypeParameterDeclaration(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isGetAccessor(parent);
  return !isNamed || parent.name !== node;
}

/** True for the names of the language and of Node, and for the types that TypeScript declares. */
function isGlobal(name) {
  const types = ['const', 'Partial', 'Readonly', 'Record', 'Pick', 'Omit', 'NodeJS', 'undefined'];
  return name in globalThis || types.includes(name);
}

function createProgram(files) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(
    // An option without the braces of its object would be a label.
    { ...config.compilerOptions, allowUnusedLabels: false, declaration: false },
    root,
  );
  const host = ts.createCompilerHost(options, true);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, version, ...others) => {
    const code = files.get(name)?.code;
    if (code === undefined) return getSourceFile.call(host, name, version, ...others);
    return ts.createSourceFile(name, code, version, true);
  };
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name)?.code ?? readFile.call(host, name);
  return ts.createProgram([...files.keys(), join(folder, 'packages.d.ts')], options, host);
}
