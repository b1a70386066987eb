import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePorts } from '../../../sample/02-shop/run/free-ports.js';
import type { PostgresServer } from '../../support/postgres-server.js';
import { startBroker, type Broker } from './brokers.js';
import { until } from './jaeger-query.js';
import { says } from './says.js';

/** The time limit for a database to start, in milliseconds. */
const PATIENCE = 60_000;
/** The user `nobody`: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

interface Programs {
  readonly postgres: Readonly<Record<'postgres' | 'initdb', string>>;
  readonly mariadb: Readonly<Record<'mariadbd' | 'mariadb-install-db', string>>;
  readonly redis: Readonly<Record<'redis-server', string>>;
}

/** A MariaDB that a test may use, which checks no password. */
export interface MariadbServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** A cluster of Redis that a test may use. */
export interface RedisCluster {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** The number of slots that the keys of a cluster are distributed to. */
const SLOTS = 16_384;

const isRoot = process.getuid?.() === 0;

/** Starts a real PostgreSQL with a new, empty database. */
export async function startPostgres(): Promise<PostgresServer> {
  const { initdb, postgres } = programs().postgres;
  const [port, folder] = [...(await freePorts(1)), createFolder()] as [number, string];
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  run(initdb, ['--pgdata', folder, '--username', 'shop', '--auth', 'trust', '--no-sync', '--locale', 'C'], user);
  const args = ['-D', folder, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'];
  const child = spawn(postgres, args, { ...user, stdio: ['ignore', 'ignore', 'pipe'] });
  await says('PostgreSQL', child, 'ready to accept connections', PATIENCE);
  return { port, user: 'shop', database: 'postgres', stop: () => stop(child, folder) };
}

/** Starts a real MariaDB with an empty database named `shop`. */
export async function startMariadb(): Promise<MariadbServer> {
  const { mariadbd, 'mariadb-install-db': install } = programs().mariadb;
  const [port, folder] = [...(await freePorts(1)), createFolder()] as [number, string];
  const user = isRoot ? ['--user=nobody'] : [];
  run(install, ['--no-defaults', `--datadir=${folder}`, '--skip-test-db', ...user]);
  const args = [
    '--no-defaults',
    ...user,
    `--datadir=${folder}`,
    `--port=${port}`,
    `--socket=${join(folder, 'socket')}`,
    '--bind-address=127.0.0.1',
    '--skip-grant-tables',
    '--innodb-flush-method=nosync',
  ];
  const child = spawn(mariadbd, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  await says('MariaDB', child, 'ready for connections', PATIENCE);
  return { port, stop: () => stop(child, folder) };
}

/**
 * Starts a real Redis that keeps nothing.
 *
 * @param settings further arguments of the server, such as `--requirepass`
 */
export async function startRedis(settings: readonly string[] = []): Promise<Broker> {
  const [port] = (await freePorts(1)) as [number];
  return startBroker(port, (folder) => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...settings];
    return startRedisProgram(args, 'Ready to accept connections');
  });
}

/** Starts a Sentinel that watches a master with the name `shop`. */
export async function startSentinel(master: Broker): Promise<Broker> {
  const [port] = (await freePorts(1)) as [number];
  return startBroker(port, (folder) => {
    const file = join(folder, 'sentinel.conf');
    const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`];
    writeFileSync(file, `${[...lines, `sentinel monitor shop 127.0.0.1 ${master.port} 1`].join('\n')}\n`);
    return startRedisProgram([file, '--sentinel'], '+monitor master');
  });
}

/** Starts a cluster of three masters, which have all slots between them. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis(['--cluster-enabled', 'yes'])));
  const ports = nodes.map(({ port }) => port);
  const clients = ports.map((port) => new Redis({ host: '127.0.0.1', port }));
  const share = Math.ceil(SLOTS / clients.length);
  await Promise.all(
    clients.map(async (client, index) => {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', share * index, Math.min(share * (index + 1), SLOTS) - 1);
      await client.call('CLUSTER', 'MEET', '127.0.0.1', ports[0]!);
    }),
  );
  for (const client of clients) {
    const isComplete = (info: unknown) => /cluster_state:ok[^]*cluster_known_nodes:3/.test(String(info));
    await until(() => client.call('CLUSTER', 'INFO'), isComplete);
    client.disconnect();
  }
  return { ports, stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))) };
}

async function startRedisProgram(args: readonly string[], words: string): Promise<ChildProcess> {
  const child = spawn(programs().redis['redis-server'], args, { stdio: ['ignore', 'pipe', 'ignore'] });
  await says('Redis', child, words, PATIENCE);
  return child;
}

function programs(): Programs {
  return JSON.parse(process.env.DATABASE_PROGRAMS ?? '{}') as Programs;
}

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-database-'));
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  return folder;
}

function run(program: string, args: readonly string[], user: { uid?: number; gid?: number } = {}): void {
  const { error, status, stderr } = spawnSync(program, args, { ...user, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}:\n${stderr}`);
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  rmSync(folder, { recursive: true, force: true });
}
