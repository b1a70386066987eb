import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { Counted, NoSpan, Span, Timed, Traceable } from 'nestjs-tracing';

/** A decorator as code calls it that no compiler has checked. */
type AnyDecorator = (...args: unknown[]) => unknown;

const decorators = { Span, Traceable, NoSpan, Timed, Counted } as unknown as Record<string, AnyDecorator>;

/** Runs a class in TypeScript that is compiled with decorators of the standard, or with those that Nest needs. */
function run(source: string, experimentalDecorators: boolean): void {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, experimentalDecorators };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the code of this test
  new Function(...Object.keys(decorators), outputText)(...Object.values(decorators));
}

describe('a decorator that is compiled as a standard one', () => {
  it.each([
    'class Orders { @Span() place() {} }',
    'class Orders { @Span("place") place() {} }',
    'class Orders { @Span place() {} }',
    'class Orders { @NoSpan() place() {} }',
    'class Orders { @Timed() place() {} }',
    'class Orders { @Counted() place() {} }',
    'class Orders { @Span() place = () => {} }',
    '@Traceable() class Orders {}',
    '@NoSpan() class Orders {}',
    '@Span() class Orders {}',
  ])('says what to set: %s', (source) => {
    expect(() => run(source, false)).toThrow(
      /^@\w+\(\) is compiled as a standard decorator.*"experimentalDecorators": true/,
    );
  });
});

describe('a decorator in the wrong place', () => {
  it.each([
    ['@Span() class Orders {}', '@Span() stands on the class Orders. It works on methods only: use @Traceable()'],
    ['@Timed() class Orders {}', '@Timed() stands on the class Orders. It works on methods only: write it on each'],
    [
      'class Orders { @Traceable() place() {} }',
      '@Traceable() stands on Orders.place. It works on classes only: use @Span() to trace one method.',
    ],
    ['class Orders { @Traceable() static place() {} }', '@Traceable() stands on Orders.place.'],
    ['class Orders { @Span place() {} }', '@Span() is written without parentheses. Write @Span().'],
    ['class Orders { @NoSpan place() {} }', '@NoSpan() is written without parentheses.'],
    ['@NoSpan class Orders {}', '@NoSpan() is written without parentheses.'],
    ['@Traceable class Orders {}', '@Traceable() is written without parentheses.'],
  ])('says what to do: %s', (source, message) => {
    expect(() => run(source, true)).toThrow(message);
    expect(() => run(source, true)).toThrow(TypeError);
  });

  it('is not seen in the right one', () => {
    const source =
      '@Traceable({}) class Orders { @Span() a() {} @NoSpan() b() {} @Timed() c() {} @Span("d", {}) d() {} }';
    expect(() => run(source, true)).not.toThrow();
  });
});
