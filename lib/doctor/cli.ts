import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { examine } from './doctor.js';
import { reportJson, reportText } from './report.js';

const USAGE = `Usage: npx nestjs-tracing doctor [folder] [--no-probe] [--json]

Checks the set-up of an application: versions, copies, preloads, compiler options, and whether a span arrives.

  folder      the folder of the application; the present one if it is left out
  --no-probe  sends no span
  --json      writes JSON: { folder, findings: [{ level, check, message, fix }] }

The exit code is 1 if there is an error. To set up an application: nest add nestjs-tracing
`;

const OPTIONS = {
  json: { type: 'boolean' },
  'no-probe': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Runs the command line. Returns the exit code. */
async function main(args: string[]): Promise<number> {
  const parsed = parse(args);
  if (!parsed || parsed.values.help || parsed.positionals[0] !== 'doctor' || parsed.positionals.length > 2) {
    const isAsked = parsed?.values.help === true;
    (isAsked ? process.stdout : process.stderr).write(USAGE);
    return isAsked ? 0 : 2;
  }
  const { positionals, values } = parsed;
  const folder = resolve(positionals[1] ?? '.');
  const findings = await examine({ folder, probe: !values['no-probe'] }, process.env);
  const hasColors = process.stdout.isTTY && !process.env.NO_COLOR;
  process.stdout.write(values.json ? reportJson(folder, findings) : reportText(findings, hasColors));
  return findings.some(({ level }) => level === 'error') ? 1 : 0;
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n`);
    return undefined;
  }
}

async function run(): Promise<void> {
  // The process ends by itself, so that a pipe gets all of the report.
  process.exitCode = await main(process.argv.slice(2));
}

void run();
