import { expect, it } from '@jest/globals';
import { nameOfCommand } from '../../../lib/jobs/commands/command-name.js';

const command = (name: string, parent?: object | null) => ({ name: () => name, parent }) as never;
const program = command('cli.js');
const run = () => undefined;

it.each<[string, never, string | undefined]>([
  ['a command', command('deploy', program), 'deploy'],
  ['a subcommand', command('add', command('user', program)), 'user add'],
  ['the program itself', program, 'cli.js'],
  ['a command without a program', command('deploy', null), 'deploy'],
  ['a command without a name', command(''), undefined],
  ['a runner that was never set up', undefined as never, undefined],
])('the name of %s', (_, given, expected) => {
  expect(nameOfCommand({ command: given, run })).toBe(expected);
});
