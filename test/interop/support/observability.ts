import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The folder of the files for backends that the shop's documentation offers to users. */
export const observabilityFolder = join(import.meta.dirname, '../../../sample/02-shop/observability');

/** The programs that `scripts/test-interop.mjs` has found. */
export function prometheusPrograms(): { readonly prometheus: string; readonly promtool: string } {
  return found('PROMETHEUS_PROGRAMS') as { prometheus: string; promtool: string };
}

/** Docker Compose: the command and its first arguments. */
export function composeCommand(): string[] {
  return found('COMPOSE_COMMAND') as string[];
}

/** Returns the output of a program that fails; empty if it succeeds. */
export function complaintOf([command, ...args]: readonly string[], cwd?: string): string {
  const { status, error, stdout, stderr } = spawnSync(command!, args, { encoding: 'utf8', ...(cwd && { cwd }) });
  if (error) throw error;
  return status === 0 ? '' : `${stdout}${stderr}` || `exit code ${status}`;
}

function found(variable: string): unknown {
  const value = process.env[variable];
  if (value) return JSON.parse(value) as unknown;
  throw new Error('Run these tests by `npm run test:interop`, which looks for what they need.');
}
