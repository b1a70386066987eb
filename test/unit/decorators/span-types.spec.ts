import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = join(import.meta.dirname, '../../..');

/** What the compiler says of each piece of code, the pieces standing in one file to be compiled once. */
function compile(pieces: Record<string, string>): Map<string, string> {
  const lines = ["import { Span, Traceable } from 'nestjs-tracing';"];
  const nameOfLine: string[] = [''];
  for (const [name, piece] of Object.entries(pieces)) {
    for (const line of piece.split('\n')) {
      lines.push(line);
      nameOfLine.push(name);
    }
  }
  const file = join(root, 'test/unit/decorators/pieces.ts');
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config as { compilerOptions: object };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.getSourceFile = (path, ...rest) =>
    path === file
      ? ts.createSourceFile(path, lines.join('\n'), ts.ScriptTarget.Latest, true)
      : getSourceFile(path, ...rest);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  const said = new Map<string, string>();
  for (const { start, messageText } of program.getSemanticDiagnostics(source)) {
    const line = source!.getLineAndCharacterOfPosition(start ?? 0).line;
    const name = nameOfLine[line] ?? '';
    said.set(name, (said.get(name) ?? '') + ts.flattenDiagnosticMessageText(messageText, '\n'));
  }
  return said;
}

describe('what the compiler says', () => {
  const said = compile({
    'of a function with other parameters': 'class A { @Span((id: number) => ({ id })) find(id: string): void {} }',
    'of a function that does not fit the result':
      'class B { @Span({ onResult: (rows: string[]) => ({ rows }) }) async find(): Promise<number> { return 1; } }',
    'of an arrow function': 'class C { @Span() find = (): void => {}; }',
    'of a class': '@Span() class D {}',
    'of what fits': 'class E { @Span((id: string) => ({ id })) find(id: string): void {} }',
  });

  it.each([
    ['of a function with other parameters', /the function does not accept the parameters of this method/],
    ['of a function that does not fit the result', /onResult does not accept what this method returns/],
    ['of an arrow function', /resolve signature of property decorator/],
    ['of a class', /resolve signature of class decorator/],
  ])('%s names the trouble', (name, expected) => {
    expect(said.get(name)).toMatch(expected);
  });

  it('of what fits is nothing', () => {
    expect(said.get('of what fits')).toBeUndefined();
    expect(said.size).toBe(4);
  });
});
