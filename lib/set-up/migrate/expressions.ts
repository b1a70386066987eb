import type ts from 'typescript';
import type { Source } from '../source.js';

/** Returns the initializer of a constant of the file, where an expression is the name of one. */
export function resolveConstant(source: Source, expression: ts.Expression): ts.Expression {
  const { ts } = source;
  if (!ts.isIdentifier(expression)) return expression;
  const declaration = source.find(ts.isVariableDeclaration).find(({ name }) => name.getText() === expression.text);
  return declaration?.initializer ?? expression;
}

/** Returns an expression as code that means the same in another file. Undefined if it uses names of this one. */
export function portableCode(source: Source, given: ts.Expression): string | undefined {
  const { ts } = source;
  const expression = resolveConstant(source, given);
  const isPortable = (node: ts.Node): boolean => {
    if (ts.isIdentifier(node))
      return ['process', 'env', 'Number', 'String', 'undefined'].includes(node.text) || isKey(source, node);
    if (ts.isFunctionLike(node) || ts.isAwaitExpression(node) || ts.isNewExpression(node)) return false;
    return ts.forEachChild(node, (child) => (isPortable(child) ? undefined : true)) !== true;
  };
  return isPortable(expression) ? expression.getText() : undefined;
}

/** True for the name of a property, which is no variable. */
function isKey({ ts }: Source, { parent, ...node }: ts.Identifier): boolean {
  if (ts.isPropertyAccessExpression(parent)) return parent.name.pos === node.pos;
  return ts.isPropertyAssignment(parent) && parent.name.pos === node.pos;
}

/** A call of a constructor: its class and its only argument. */
export interface Construction {
  readonly className: string;
  readonly argument: ts.Expression | undefined;
}

export function constructionOf(source: Source, given: ts.Expression): Construction | undefined {
  const expression = resolveConstant(source, given);
  if (!source.ts.isNewExpression(expression)) return undefined;
  const [argument] = expression.arguments ?? [];
  return { className: expression.expression.getText(), argument };
}

/** The properties of an object literal by their names. Undefined if it has others than plain ones. */
export function propertiesOf(source: Source, given: ts.Expression | undefined): Map<string, ts.Expression> | undefined {
  const { ts } = source;
  if (!given) return new Map();
  const literal = resolveConstant(source, given);
  if (!ts.isObjectLiteralExpression(literal)) return undefined;
  const properties = new Map<string, ts.Expression>();
  for (const property of literal.properties) {
    if (ts.isPropertyAssignment(property)) properties.set(keyOf(source, property.name), property.initializer);
    else if (ts.isShorthandPropertyAssignment(property)) properties.set(property.name.text, property.name);
    else return undefined;
  }
  return properties;
}

function keyOf({ ts }: Source, name: ts.PropertyName): string {
  return ts.isStringLiteralLike(name) || ts.isIdentifier(name) ? name.text : name.getText();
}
