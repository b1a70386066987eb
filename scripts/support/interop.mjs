import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { findBrokers } from './brokers.mjs';
import { findDatabases } from './databases.mjs';
import { findJaeger } from './jaeger.mjs';
import { findCompose, findPrometheus } from './prometheus.mjs';
import { root } from './run.mjs';

/** The time after which the tests are ended, in milliseconds. */
const TIME_LIMIT = 40 * 60_000;
const LABEL = `nestjs-tracing-interop=${process.pid}`;
/** How to find the programs that specs need, by the beginning of the names of these specs. */
const PROGRAMS = [
  {
    specs: ['exemplar-links', 'jaeger-', 'observability-', 'prometheus-exemplars', 'tail-sampling'],
    find: () => ({ jaeger: findJaeger() }),
  },
  {
    specs: ['dashboard-types', 'exemplar-links', 'observability-', 'prometheus-'],
    find: () => ({ prometheus: findPrometheus(), compose: findCompose() }),
  },
  { specs: ['data-', 'jobs-', 'messaging-'], find: () => ({ databases: findDatabases() }) },
  { specs: ['messaging-'], find: () => ({ brokers: findBrokers() }) },
];

/**
 * Runs specs with the programs that they need, and ends the process with the status of Jest.
 *
 * @param folder The folder of the specs, from the root of the repository.
 * @param patterns Parts of the names of the specs to run. All run if there is none.
 */
export async function runSpecs(folder, patterns) {
  const all = readdirSync(join(root, folder)).filter((name) => name.endsWith('.spec.ts'));
  const specs = all.filter((name) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern)));
  if (specs.length === 0) exitWith(`No spec in ${folder} has a name that contains ${patterns.join(' or ')}.`);
  const { jaeger, prometheus, compose, databases, brokers } = findPrograms(specs);
  if (jaeger) console.log(`Jaeger: ${jaeger.path ?? jaeger.image}`);
  const jest = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--config=jest.interop.config.mjs',
    ...specs.map((name) => `${folder}/${name}`),
  ];
  const env = {
    ...process.env,
    ...(jaeger && { JAEGER_PROGRAM: JSON.stringify({ ...jaeger, label: LABEL }) }),
    ...(prometheus && { PROMETHEUS_PROGRAMS: JSON.stringify(prometheus), COMPOSE_COMMAND: JSON.stringify(compose) }),
    ...(databases && { DATABASE_PROGRAMS: JSON.stringify(databases) }),
    ...(brokers && { BROKER_PROGRAMS: JSON.stringify(brokers) }),
  };
  // Detached, so that it is the leader of a process group: everything that the tests start can be ended with the group.
  const child = spawn(process.execPath, jest, { cwd: root, env, stdio: 'inherit', detached: true });
  const timer = setTimeout(
    () => giveUp(`The tests have not ended after ${TIME_LIMIT / 60_000} minutes.`, child, jaeger),
    TIME_LIMIT,
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => giveUp(`Ended by ${signal}.`, child, jaeger));

  const [code] = await once(child, 'exit');
  clearTimeout(timer);
  endAll(child, jaeger);
  process.exit(code ?? 1);
}

function findPrograms(specs) {
  const isNeeded = ({ specs: prefixes }) => specs.some((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  try {
    return Object.assign({}, ...PROGRAMS.filter(isNeeded).map(({ find }) => find()));
  } catch (error) {
    return exitWith(error.message);
  }
}

function exitWith(message) {
  console.error(message);
  process.exit(1);
}

function giveUp(reason, child, jaeger) {
  console.error(reason);
  endAll(child, jaeger);
  process.exit(1);
}

function endAll(child, jaeger) {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All processes have ended.
  }
  if (jaeger?.kind !== 'container') return;
  const { stdout } = spawnSync('docker', ['ps', '--quiet', `--filter=label=${LABEL}`], { encoding: 'utf8' });
  const containers = stdout?.split('\n').filter(Boolean) ?? [];
  if (containers.length > 0) spawnSync('docker', ['kill', ...containers], { stdio: 'ignore' });
}
