import { existsSync } from 'node:fs';
import process from 'node:process';
import { installPackage } from './debian.mjs';
import { runsSuccessfully } from './run.mjs';

/**
 * Returns the paths or names of Prometheus and promtool: those in `PROMETHEUS_BINARY` and `PROMTOOL_BINARY`, or else those on
 * the PATH. If one is missing, root installs Debian's package in CI.
 *
 * @throws Error that tells what is missing
 */
export function findPrometheus() {
  const find = () => ({
    prometheus: program('PROMETHEUS_BINARY', 'prometheus'),
    promtool: program('PROMTOOL_BINARY', 'promtool'),
  });
  let found = find();
  if ((!found.prometheus || !found.promtool) && installPackage('prometheus')) found = find();
  if (found.prometheus && found.promtool) return found;
  const [missing, variable] = found.prometheus ? ['promtool', 'PROMTOOL_BINARY'] : ['Prometheus', 'PROMETHEUS_BINARY'];
  throw new Error(
    `${missing} is missing. On Debian or Ubuntu: apt-get install --no-install-recommends prometheus. Elsewhere download Prometheus from https://prometheus.io/download, and put it on the PATH or set ${variable} to the path of the program.`,
  );
}

/**
 * Returns the command and first arguments of Docker Compose, which can check a file without Docker.
 *
 * @throws Error that tells what is missing
 */
export function findCompose() {
  const find = () =>
    [['docker', 'compose'], ['docker-compose']].find(([command, ...args]) =>
      runsSuccessfully(command, [...args, 'version']),
    );
  const found = find() ?? (installPackage('docker-compose') ? find() : undefined);
  if (found) return found;
  throw new Error(
    'Docker Compose is missing. On Debian: apt-get install --no-install-recommends docker-compose. Elsewhere see https://docs.docker.com/compose/install.',
  );
}

function program(variable, name) {
  const named = process.env[variable];
  if (named && !existsSync(named)) throw new Error(`${variable} is ${named}, but there is no such file.`);
  if (named) return named;
  return runsSuccessfully(name, ['--version']) ? name : undefined;
}
