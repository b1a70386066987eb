import type ts from 'typescript';
import type { Source } from './source.js';

/** Returns the specifier of a name that a file imports from a package. */
export function findImport(source: Source, name: string, from: string): ts.ImportSpecifier | undefined {
  return source.imports
    .filter(({ moduleSpecifier }) => textOf(source, moduleSpecifier) === from)
    .flatMap((declaration) => namedImports(source, declaration))
    .find((specifier) => (specifier.propertyName ?? specifier.name).text === name);
}

/** Imports a name from a package: with the other names of the package, else after the imports of packages. */
export function addImport(source: Source, name: string, from: string): void {
  if (findImport(source, name, from)) return;
  const { newline, quote, semicolon } = source;
  const same = source.imports.find(
    (declaration) =>
      textOf(source, declaration.moduleSpecifier) === from &&
      !isTypeImport(declaration) &&
      namedImports(source, declaration).length > 0,
  );
  const last = same && namedImports(source, same).at(-1);
  if (last) {
    source.insert(last.getEnd(), `, ${name}`);
    return;
  }
  const line = `import { ${name} } from ${quote}${from}${quote}${semicolon}`;
  const before = source.imports.findLast((declaration) => !textOf(source, declaration.moduleSpecifier).startsWith('.'));
  const [first] = source.ast.statements;
  if (before) source.insert(before.getEnd(), newline + line);
  else source.insert(first?.getStart() ?? 0, line + newline);
}

/** True for `import type`: the property of the tree has another name in newer versions of TypeScript. */
export function isTypeImport(declaration: ts.ImportDeclaration): boolean {
  return /^import\s+type\s*\{/.test(declaration.getText());
}

export function namedImports(source: Source, { importClause }: ts.ImportDeclaration): readonly ts.ImportSpecifier[] {
  const bindings = importClause?.namedBindings;
  return bindings && source.ts.isNamedImports(bindings) ? bindings.elements : [];
}

/** Returns the text of a literal; empty if it is no literal. */
export function textOf(source: Source, node: ts.Node): string {
  return source.ts.isStringLiteralLike(node) ? node.text : '';
}
