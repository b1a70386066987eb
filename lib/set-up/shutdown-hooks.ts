import type ts from 'typescript';
import type { Entry } from './find-root-module.js';
import type { Source } from './source.js';

/** What became of `enableShutdownHooks()`. */
export type HooksResult = 'present' | 'added' | 'unknown';

/** Adds `app.enableShutdownHooks()` after the statement that creates the application. Without it, a signal loses the last spans. */
export function enableShutdownHooks({ call, source }: Entry): HooksResult {
  const { newline, semicolon, text, ts } = source;
  if (/\benableShutdownHooks\b/.test(text) || source.find(ts.isIdentifier).some((it) => it.text === 'onProcessExit')) {
    return 'present';
  }
  // nest-commander closes an application itself as soon as its command has run.
  if (call.expression.getText().startsWith('CommandFactory.run')) return 'present';
  const created = statementOf(source, call);
  if (!created) return 'unknown';
  const { name, statement } = created;
  const indent = source.indentAt(statement.getStart());
  source.insert(statement.getEnd(), `${newline}${indent}${name}.enableShutdownHooks()${semicolon}`);
  return 'added';
}

/** Returns the statement that gives the application a name: `const app = await NestFactory.create(…)`, or the same as an assignment. */
function statementOf({ ts }: Source, call: ts.CallExpression): { name: string; statement: ts.Statement } | undefined {
  const { parent } = call;
  if (!ts.isAwaitExpression(parent)) return undefined;
  const holder = parent.parent;
  if (ts.isVariableDeclaration(holder) && ts.isIdentifier(holder.name)) {
    const statement = holder.parent.parent;
    return ts.isVariableStatement(statement) ? { name: holder.name.text, statement } : undefined;
  }
  if (ts.isBinaryExpression(holder) && ts.isIdentifier(holder.left) && ts.isExpressionStatement(holder.parent)) {
    return { name: holder.left.text, statement: holder.parent };
  }
  return undefined;
}
