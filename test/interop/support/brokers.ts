import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../sample/02-shop/run/free-ports.js';
import { says } from './says.js';

/** The time limit for a broker to start, in milliseconds. */
const PATIENCE = 90_000;

interface Programs {
  readonly nats: Readonly<Record<'nats-server', string>>;
  readonly rabbitmq: Readonly<Record<'rabbitmq-server' | 'epmd', string>>;
  readonly mosquitto: Readonly<Record<'mosquitto', string>>;
  readonly kafka: { readonly java: string; readonly libraries: string };
}

/** A real broker that a test may use, on a port of 127.0.0.1. */
export interface Broker {
  readonly port: number;
  /** Kills the broker, as a failure of its machine would. It can be started again on the same port. */
  kill(): Promise<void>;
  /** Starts the broker again. */
  start(): Promise<void>;
  /** Ends the broker for good, and deletes its files. */
  stop(): Promise<void>;
}

export async function startNats(): Promise<Broker> {
  const port = await freePort();
  return startBroker(port, async () => {
    const child = spawn(programs().nats['nats-server'], ['--addr', '127.0.0.1', '--port', String(port)], STDERR);
    await says('NATS', child, 'Server is ready', PATIENCE);
    return child;
  });
}

/** Starts Mosquitto, which speaks the versions 3.1.1 and 5 of MQTT. */
export async function startMosquitto(): Promise<Broker> {
  const port = await freePort();
  return startBroker(port, async (folder) => {
    const file = join(folder, 'mosquitto.conf');
    writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n`);
    const child = spawn(programs().mosquitto.mosquitto, ['-c', file], STDERR);
    await says('Mosquitto', child, 'running', PATIENCE);
    return child;
  });
}

/** Starts a node of RabbitMQ with a name, a cookie and a port mapper of its own, apart from any other node on this machine. */
export async function startRabbitmq(): Promise<Broker> {
  const [port, distribution, mapper] = (await freePorts(3)) as [number, number, number];
  const { epmd, 'rabbitmq-server': server } = programs().rabbitmq;
  const portMapper = spawn(epmd, ['-address', '127.0.0.1', '-port', String(mapper)], { stdio: 'ignore' });
  const start = async (folder: string) => {
    const env = {
      ...process.env,
      // Erlang keeps the cookie in the home folder.
      HOME: folder,
      ERL_EPMD_PORT: String(mapper),
      RABBITMQ_NODENAME: `nestjs-tracing-${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_CONFIG_FILE: join(folder, 'config'),
      // The script replaces itself by the server, which can then be killed.
      RUNNING_UNDER_SYSTEMD: 'true',
    };
    const child = spawn(server, [], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    await says('RabbitMQ', child, 'startup complete', PATIENCE);
    return child;
  };
  const broker = await startBroker(port, start).catch((error: unknown) => {
    portMapper.kill('SIGKILL');
    throw error;
  });
  return {
    ...broker,
    async stop() {
      await broker.stop();
      portMapper.kill('SIGKILL');
    },
  };
}

/** Starts Kafka as one node that is both broker and controller. */
export async function startKafka(): Promise<Broker> {
  const [port, controller] = (await freePorts(2)) as [number, number];
  const { java, libraries } = programs().kafka;
  const classPath = ['-cp', join(libraries, '*')];
  let isFormatted = false;
  return startBroker(port, async (folder) => {
    const file = join(folder, 'server.properties');
    if (!isFormatted) {
      writeFileSync(file, kafkaProperties(port, controller, join(folder, 'data')));
      mkdirSync(join(folder, 'data'));
      const args = [...classPath, 'kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qk', '-c', file];
      const { status, stdout, stderr } = spawnSync(java, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`Kafka's storage tool ended with ${status}:\n${stdout}${stderr}`);
      isFormatted = true;
    }
    const options = ['-Xmx512m', '-XX:TieredStopAtLevel=1'];
    const child = spawn(java, [...options, ...classPath, 'kafka.Kafka', file], { stdio: 'ignore' });
    await untilListening('Kafka', child, port);
    return child;
  });
}

function kafkaProperties(port: number, controller: number, folder: string): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': folder,
    'num.partitions': 1,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'group.initial.rebalance.delay.ms': 0,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

const STDERR = { stdio: ['ignore', 'ignore', 'pipe'] } as const satisfies { stdio: ['ignore', 'ignore', 'pipe'] };

/** Starts a broker in a folder of its own. */
export async function startBroker(port: number, start: (folder: string) => Promise<ChildProcess>): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-broker-'));
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (!child) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    child = undefined;
    await closed;
  };
  const broker: Broker = {
    port,
    kill,
    async start() {
      child = await start(folder);
    },
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await broker.start().catch(async (error: unknown) => {
    await broker.stop();
    throw error;
  });
  return broker;
}

async function untilListening(program: string, child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await isListening(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${program} does not listen; its exit code is ${child.exitCode}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

function programs(): Programs {
  return JSON.parse(process.env.BROKER_PROGRAMS ?? '{}') as Programs;
}
