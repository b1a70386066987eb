import type ts from 'typescript';
import type { Project } from '../project.js';
import type { Source } from '../source.js';

/**
 * Rewrites the functions in the arguments of `@Span()`: those of nestjs-otel return `{ attributes }`, those of this library the attributes
 * themselves.
 */
export function migrateSpanArguments(project: Project, source: Source, call: ts.CallExpression): void {
  const { ts } = source;
  const method = call.parent.parent;
  for (const argument of call.arguments) {
    if (isFunction(source, argument)) {
      unwrapAttributes(project, source, argument);
      if (ts.isMethodDeclaration(method)) addParameterTypes(source, argument, method);
    }
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

/** The arguments of such a function are `any` in nestjs-otel. Here the compiler needs their types, which are those of the method. */
function addParameterTypes(source: Source, node: FunctionNode, method: ts.MethodDeclaration): void {
  // A type parameter cannot be named in a decorator.
  if (method.typeParameters || (source.ts.isClassLike(method.parent) && method.parent.typeParameters)) return;
  for (const [index, parameter] of node.parameters.entries()) {
    const counterpart = method.parameters[index];
    if (parameter.type || parameter.initializer || parameter.dotDotDotToken) return;
    if (!counterpart?.type || counterpart.dotDotDotToken) return;
    const isOptional = counterpart.questionToken !== undefined || counterpart.initializer !== undefined;
    const type = `${counterpart.type.getText()}${isOptional ? ' | undefined' : ''}`;
    const isBare = !source.text.slice(node.getStart(), parameter.getStart()).includes('(');
    source.replace(parameter, isBare ? `(${parameter.getText()}: ${type})` : `${parameter.getText()}: ${type}`);
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
