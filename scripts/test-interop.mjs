/**
 * Tests the library with real backends, databases and brokers, which `support/` finds, builds or installs.
 *
 *   node scripts/test-interop.mjs [arguments for Jest]
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { findBrokers } from './support/brokers.mjs';
import { findDatabases } from './support/databases.mjs';
import { findJaeger } from './support/jaeger.mjs';
import { findCompose, findPrometheus } from './support/prometheus.mjs';
import { root } from './support/run.mjs';

/** The time after which the tests are ended, in milliseconds. */
const TIME_LIMIT = 14 * 60_000;
const LABEL = `nestjs-tracing-interop=${process.pid}`;

const { jaeger, prometheus, compose, databases, brokers } = findPrograms();
console.log(`Jaeger: ${jaeger.path ?? jaeger.image}, Prometheus: ${prometheus.prometheus}`);
const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--config=jest.interop.config.mjs',
  ...process.argv.slice(2),
];
const env = {
  ...process.env,
  JAEGER_PROGRAM: JSON.stringify({ ...jaeger, label: LABEL }),
  PROMETHEUS_PROGRAMS: JSON.stringify(prometheus),
  COMPOSE_COMMAND: JSON.stringify(compose),
  DATABASE_PROGRAMS: JSON.stringify(databases),
  BROKER_PROGRAMS: JSON.stringify(brokers),
};
// Detached, so that it is the leader of a process group: everything that the tests start can be ended with the group.
const child = spawn(process.execPath, jest, { cwd: root, env, stdio: 'inherit', detached: true });
const timer = setTimeout(() => giveUp(`The tests have not ended after ${TIME_LIMIT / 60_000} minutes.`), TIME_LIMIT);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => giveUp(`Ended by ${signal}.`));

const [code] = await once(child, 'exit');
clearTimeout(timer);
endAll();
process.exit(code ?? 1);

function findPrograms() {
  try {
    return {
      jaeger: findJaeger(),
      prometheus: findPrometheus(),
      compose: findCompose(),
      databases: findDatabases(),
      brokers: findBrokers(),
    };
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

function giveUp(reason) {
  console.error(reason);
  endAll();
  process.exit(1);
}

function endAll() {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All processes have ended.
  }
  if (jaeger.kind !== 'container') return;
  const { stdout } = spawnSync('docker', ['ps', '--quiet', `--filter=label=${LABEL}`], { encoding: 'utf8' });
  const containers = stdout?.split('\n').filter(Boolean) ?? [];
  if (containers.length > 0) spawnSync('docker', ['kill', ...containers], { stdio: 'ignore' });
}
