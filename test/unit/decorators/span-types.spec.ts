import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = join(import.meta.dirname, '../../..');

/** Returns the compiler's messages for each piece of code. All pieces are in one file, so that it compiles only once. */
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

describe('the message of the compiler', () => {
  const said = compile({
    'for a function with other parameters': 'class A { @Span((id: number) => ({ id })) find(id: string): void {} }',
    'for a function that does not fit the result':
      'class B { @Span({ onResult: (rows: string[]) => ({ rows }) }) async find(): Promise<number> { return 1; } }',
    'for an arrow function': 'class C { @Span() find = (): void => {}; }',
    'for a class': '@Span() class D {}',
    'of what fits': 'class E { @Span((id: string) => ({ id })) find(id: string): void {} }',
  });

  it.each([
    ['for a function with other parameters', /the function does not accept the parameters of this method/],
    ['for a function that does not fit the result', /onResult does not accept what this method returns/],
    ['for an arrow function', /resolve signature of property decorator/],
    ['for a class', /resolve signature of class decorator/],
  ])('%s names the problem', (name, expected) => {
    expect(said.get(name)).toMatch(expected);
  });

  it('is missing for code that fits', () => {
    expect(said.get('of what fits')).toBeUndefined();
    expect(said.size).toBe(4);
  });
});
