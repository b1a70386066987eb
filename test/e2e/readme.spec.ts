import { afterAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { Apps } from '../support/apps.js';

const root = join(import.meta.dirname, '../..');
const apps = new Apps();
afterAll(() => apps.remove());

/** The code blocks of README.md before its first heading of a chapter: how it is installed, the smallest example, what it prints. */
const [, example, printed] = [
  ...readFileSync(join(root, 'README.md'), 'utf8')
    .split('\n## ', 1)[0]!
    .matchAll(/```\w*\n([^]*?)```/g),
].map(([, block]) => block!);

/** Replaces what differs from run to run: ids, durations, and the bars that show them. */
function withoutTimes(tree: string): string {
  return tree
    .replaceAll(/[\da-f]{32}/g, '<id>')
    .replaceAll(/ +\+?[\d.]+ m?s\b( +[·━]+)?/g, ' <time>')
    .replaceAll(/ +[·━]+$/gm, '')
    .trim();
}

describe('the first example in README.md', () => {
  it('prints the trace that README.md shows', async () => {
    const { code } = transformSync(example!, { configFile: join(root, '.swcrc'), filename: 'example.ts' });
    const { stdout, stderr } = await apps.run('readme', { args: [code, '/orders/7'] });
    expect(stderr).toBe('');
    expect(withoutTimes(stdout)).toBe(withoutTimes(printed!));
    expect(withoutTimes(printed!)).toContain('└─ OrdersService.find');
  });
});
