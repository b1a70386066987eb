import type ts from 'typescript';
import type { Project } from '../project.js';
import type { Source } from '../source.js';

/**
 * Rewrites the functions in the arguments of `@Span()`: those of nestjs-otel return `{ attributes }`, those of this library the attributes
 * themselves.
 */
export function migrateSpanArguments(project: Project, source: Source, call: ts.CallExpression): void {
  const { ts } = source;
  for (const argument of call.arguments) {
    if (isFunction(source, argument)) unwrapAttributes(project, source, argument);
    if (!ts.isObjectLiteralExpression(argument)) continue;
    const onResult = argument.properties.find((property) => property.name?.getText() === 'onResult');
    if (!onResult) continue;
    const value = ts.isPropertyAssignment(onResult) ? onResult.initializer : onResult;
    if (isFunction(source, value)) unwrapAttributes(project, source, value);
    else askFor(project, source, onResult);
  }
}

type FunctionNode = ts.ArrowFunction | ts.FunctionExpression | ts.MethodDeclaration;

function isFunction({ ts }: Source, node: ts.Node): node is FunctionNode {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isMethodDeclaration(node);
}

function unwrapAttributes(project: Project, source: Source, node: FunctionNode): void {
  const { ts } = source;
  const result = resultOf(source, node);
  const [attributes, ...others] = result?.properties ?? [];
  const isAlone = attributes?.name?.getText() === 'attributes' && others.length === 0;
  if (result && isAlone && ts.isPropertyAssignment(attributes)) {
    source.replace(result, attributes.initializer.getText());
  } else if (result && isAlone && ts.isShorthandPropertyAssignment(attributes)) {
    source.replace(result, 'attributes');
  } else {
    askFor(project, source, node);
  }
}

function askFor(project: Project, source: Source, node: ts.Node): void {
  project.ask(
    `${source.place(node)}: @Span() of nestjs-tracing takes the attributes themselves from a function, and kind or links beside it: @Span({ kind, attributes: (id: string) => ({ … }) }).`,
  );
}

/** Returns the object that a function returns, if it does nothing else. */
function resultOf({ ts }: Source, { body }: FunctionNode): ts.ObjectLiteralExpression | undefined {
  if (!body) return undefined;
  const [statement, ...others] = ts.isBlock(body) ? body.statements : [];
  let result: ts.Expression | undefined;
  if (!ts.isBlock(body)) result = body;
  else if (statement && ts.isReturnStatement(statement) && others.length === 0) result = statement.expression;
  while (result && ts.isParenthesizedExpression(result)) result = result.expression;
  return result && ts.isObjectLiteralExpression(result) ? result : undefined;
}
