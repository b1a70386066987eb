import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

/** The application and the tests that `npm run test:consumers` runs under Jest and Vitest. */
const FOLDER = 'test/consumers/testing';

const files = readdirSync(FOLDER).map((file) => linesOf(readFileSync(`${FOLDER}/${file}`, 'utf8')));
const guide = readFileSync('docs/testing.md', 'utf8');
const blocks = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code);

describe('the guide for tests', () => {
  it('has code', () => expect(blocks.length).toBeGreaterThan(8));

  it.each(blocks.map((code) => ({ code, start: code.split('\n')[0] })))('has code that is run: $start', ({ code }) => {
    const lines = linesOf(code);
    expect(files.filter((file) => file.includes(lines))).toHaveLength(1);
  });
});

/** Returns the lines without their indentation, which the guide has less of. */
function linesOf(code: string): string {
  return `\n${code
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join('\n')}\n`;
}
