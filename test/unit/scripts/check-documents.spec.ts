import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Checks documents with this content in one run, because the compiler takes its time. Returns the problems, each with the number of its line. */
function check(...contents: string[]): { passed: boolean; problems: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'documents-'));
  const files = contents.map((content, index) => {
    const file = join(folder, `${index}.md`);
    writeFileSync(file, content);
    return file;
  });
  const { status, stderr } = spawnSync(process.execPath, ['scripts/check-documents.mjs', ...files], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  const problems = stderr.split('\n').filter((line) => line !== '');
  return { passed: status === 0, problems: problems.map((line) => line.replace(/^.*?(?=\d+\.md:)/, '')) };
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

const WHOLE_FILE = `import { Module } from '@nestjs/common';
import { TracingModule } from 'nestjs-tracing';

@Module({ imports: [TracingModule.forRoot({ serviceName: 'orders' })] })
export class AppModule {}`;
const FRAGMENT = `TracingModule.forRoot({ http: { ignore: (request) => request.url === '/health' } });`;
const INCOMPLETE_FILE = `import { Injectable } from '@nestjs/common';

@Injectable()
export class A {
  @Span()
  b() {}
}`;

describe('check-documents', () => {
  it('reports what a reader could not use, with its line, and accepts the rest', () => {
    const good = [
      '# One, `two` & three\n\n[there](#one-two--three) [here](0.md#wrong) [again](#again-1) `lib/index.ts`\n',
      '# Again\n\n## Again\n',
      block('ts', WHOLE_FILE),
      block('ts', FRAGMENT),
      block('json', '{ "a": 1 }'),
      block('yaml', 'a: 1'),
      block('sh', 'npm run build'),
    ].join('\n');
    const bad = [
      '# Wrong',
      '[file](missing.md) [heading](#missing) `lib/missing.ts`',
      block('json', '{ a: 1 }'), // from line 3 on
      block('yaml', 'a: [1'),
      block('sh', 'npm run missing'),
      block('ts', `TracingModule.forRoot({ http: { ignored: [] } });`),
      block('ts', `http: {\n  ignore: ['/health'];\n}`),
      block('ts', `missing();`),
      block('ts', INCOMPLETE_FILE),
    ].join('\n');
    const { passed, problems } = check(bad, good);
    expect(passed).toBe(false);
    expect(problems).toEqual([
      '0.md:2 links to missing.md, which does not exist',
      '0.md:2 links to #missing, which is no heading there',
      '0.md:2 names lib/missing.ts, which does not exist',
      expect.stringContaining('0.md:4 Expected property name'),
      expect.stringContaining('0.md:8 Flow sequence'),
      '0.md:12 runs npm run missing, which does not exist',
      expect.stringContaining("'ignored' does not exist in type 'HttpOptions'"),
      '0.md:20 Unused label.',
      '0.md:21 Unused label.',
      expect.stringContaining("has no exported member 'missing'"),
      expect.stringContaining("Cannot find name 'Span'"),
    ]);
  }, 180_000);
});
