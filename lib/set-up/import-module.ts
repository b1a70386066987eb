import type ts from 'typescript';
import type { FoundClass } from './find-root-module.js';
import { addImport } from './imports.js';
import type { Source } from './source.js';

/**
 * Adds `TracingModule` to the imports of a module, before all others, so that it misses nothing that they start.
 *
 * @param call such as `TracingModule.forRoot()`
 * @returns false if the imports are not written in a form that can be edited
 */
export function importTracingModule({ declaration, source }: FoundClass, call: string): boolean {
  const { ts } = source;
  const decorator = (ts.getDecorators(declaration) ?? []).find(({ expression }) => {
    return ts.isCallExpression(expression) && expression.expression.getText() === 'Module';
  });
  if (!decorator) return false;
  const { arguments: given, expression: callee } = decorator.expression as ts.CallExpression;
  const [metadata] = given;
  if (!metadata) source.insert(callee.getEnd() + 1, `{ imports: [${call}] }`);
  else if (!ts.isObjectLiteralExpression(metadata)) return false;
  else addToMetadata(source, metadata, call);
  addImport(source, 'TracingModule', 'nestjs-tracing');
  return true;
}

function addToMetadata(source: Source, metadata: ts.ObjectLiteralExpression, call: string): void {
  const { ts } = source;
  const imports = metadata.properties.find((property) => property.name?.getText().replace(/['"]/g, '') === 'imports');
  if (!imports) {
    addFirst(source, metadata, metadata.properties, `imports: [${call}]`, ' ');
  } else if (ts.isPropertyAssignment(imports)) {
    const list = imports.initializer;
    if (ts.isArrayLiteralExpression(list)) addFirst(source, list, list.elements, call, '');
    else source.replace(list, `[${call}, ...${parenthesized(source, list)}]`);
  } else {
    // The short form, `imports`, has a variable of that name.
    source.replace(imports, `imports: [${call}, ...imports]`);
  }
}

/** An operator has a lower precedence than the spread of a call or a name needs. */
function parenthesized({ ts }: Source, expression: ts.Expression): string {
  const isSimple =
    ts.isIdentifier(expression) || ts.isCallExpression(expression) || ts.isPropertyAccessExpression(expression);
  return isSimple ? expression.getText() : `(${expression.getText()})`;
}

/** Adds an element before all others of a literal: on a line of its own if the others have lines of their own. */
function addFirst(
  source: Source,
  literal: ts.Node,
  elements: ts.NodeArray<ts.Node>,
  text: string,
  padding: string,
): void {
  const start = literal.getStart();
  const inside = start + 1;
  const [first] = elements;
  const { ast, newline } = source;
  if (!first) {
    const isEmpty = source.text.slice(inside, literal.getEnd() - 1).trim() === '';
    source.insert(inside, isEmpty ? padding + text + padding : `${text},`);
    return;
  }
  const lineOf = (position: number) => ast.getLineAndCharacterOfPosition(position).line;
  if (lineOf(start) === lineOf(first.getStart())) source.insert(first.getStart(), `${text}, `);
  else source.insert(inside, `${newline}${source.indentAt(first.getStart())}${text},`);
}
