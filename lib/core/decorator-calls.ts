/**
 * Throws a TypeError if a decorator is called as the standard of ECMAScript defines it, with a context as the second argument. Nest itself needs
 * the decorators that TypeScript had before, which have names and metadata of parameters.
 */
export function refuseStandardDecorator(decorator: string, secondArgument: unknown): void {
  const isContext =
    typeof secondArgument === 'object' &&
    secondArgument !== null &&
    typeof (secondArgument as { kind?: unknown }).kind === 'string';
  if (!isContext) return;
  throw new TypeError(
    `${decorator} is compiled as a standard decorator, which Nest does not support. Set "experimentalDecorators": true and "emitDecoratorMetadata": true under "compilerOptions" in tsconfig.json. With SWC, set jsc.transform.legacyDecorator and jsc.transform.decoratorMetadata.`,
  );
}

/** Throws a TypeError for a decorator without parentheses: it is called with what it should decorate, instead of with its options. */
export function refuseMissingParentheses(decorator: string, isMissing: boolean): void {
  if (!isMissing) return;
  throw new TypeError(`${decorator} is written without parentheses. Write @${decorator.replace(/^@|\(\)$/g, '')}().`);
}
