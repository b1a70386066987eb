import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../sample/02-shop/run/free-ports.js';
import { jaegerConfig, type JaegerPorts } from './jaeger-config.js';
import { JaegerQuery } from './jaeger-query.js';
import { says } from './says.js';

/** The time limit for Jaeger to start, in milliseconds. */
const PATIENCE = 30_000;
/** The log line of Jaeger when all its servers listen. */
const READY = 'Everything is ready';

/** The program that `scripts/test-interop.mjs` has found. */
type Program = { kind: 'binary'; path: string } | { kind: 'container'; image: string; label: string };

/** The strategies of remote sampling, in the format of Jaeger's file. */
export interface SamplingStrategies {
  readonly service_strategies?: readonly ServiceStrategy[];
  readonly default_strategy?: Strategy;
}

interface Strategy {
  readonly type: 'probabilistic' | 'ratelimiting';
  readonly param: number;
}

interface ServiceStrategy extends Strategy {
  readonly service: string;
  readonly operation_strategies?: readonly (Strategy & { readonly operation: string })[];
}

export interface JaegerOptions {
  readonly strategies?: SamplingStrategies;
  /** Bytes of datagrams that wait to be read; with 0, the operating system decides. @default 1 MiB */
  readonly udpBuffer?: number;
}

/** A Jaeger for one test, on free ports of 127.0.0.1. It keeps its traces in memory. */
export class Jaeger {
  readonly query: JaegerQuery;
  #running: ChildProcess;

  private constructor(
    private readonly folder: string,
    readonly ports: JaegerPorts,
    running: ChildProcess,
  ) {
    this.query = new JaegerQuery(`http://127.0.0.1:${ports.query}`);
    this.#running = running;
  }

  static async start({ strategies = {}, udpBuffer = 1_048_576 }: JaegerOptions = {}): Promise<Jaeger> {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-jaeger-'));
    // In a container, Jaeger runs as another user, who must be able to read the file.
    chmodSync(folder, 0o755);
    const samplingFile = join(folder, 'sampling.json');
    const [query, queryGrpc, otlpHttp, otlpGrpc, thriftHttp, thriftUdp, sampling, samplingGrpc] = await freePorts(8);
    const ports = {
      query,
      queryGrpc,
      otlpHttp,
      otlpGrpc,
      thriftHttp,
      thriftUdp,
      sampling,
      samplingGrpc,
    } as JaegerPorts;
    writeFileSync(samplingFile, JSON.stringify(strategies));
    writeFileSync(join(folder, 'config.json'), jaegerConfig(ports, samplingFile, udpBuffer));
    try {
      const jaeger = new Jaeger(folder, ports, await launch(folder));
      await jaeger.query.answering(PATIENCE);
      return jaeger;
    } catch (error) {
      rmSync(folder, { recursive: true });
      throw error;
    }
  }

  /** Sets the strategies of remote sampling. Jaeger reads the file several times per second. */
  setStrategies(strategies: SamplingStrategies): void {
    writeFileSync(join(this.folder, 'sampling.json'), JSON.stringify(strategies));
  }

  /** Kills Jaeger. Its stored traces are lost. */
  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.#running;
    if (exitCode !== null || signalCode !== null) return;
    const closed = once(this.#running, 'close');
    end(this.#running, this.folder);
    await closed;
  }

  /** Starts Jaeger again, on the same ports. */
  async restart(): Promise<void> {
    await this.kill();
    this.#running = await launch(this.folder);
    await this.query.answering(PATIENCE);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Resolves when Jaeger reports that it is ready. */
async function launch(folder: string): Promise<ChildProcess> {
  const [command, ...args] = commandLine(folder);
  const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    await says('Jaeger', child, READY, PATIENCE);
    return child;
  } catch (error) {
    end(child, folder);
    throw error;
  }
}

function program(): Program {
  const { JAEGER_PROGRAM } = process.env;
  if (JAEGER_PROGRAM) return JSON.parse(JAEGER_PROGRAM) as Program;
  throw new Error('Run these tests by `npm run test:interop`, which looks for Jaeger.');
}

function commandLine(folder: string): string[] {
  const found = program();
  const config = ['--config', join(folder, 'config.json')];
  if (found.kind === 'binary') return [found.path, ...config];
  const options = ['--rm', '--network=host', `--name=${containerName(folder)}`, `--label=${found.label}`];
  return ['docker', 'run', ...options, `--volume=${folder}:${folder}:ro`, found.image, ...config];
}

function containerName(folder: string): string {
  return folder.split('/').at(-1)!;
}

function end(child: ChildProcess, folder: string): void {
  // The end of Docker's client does not end the container.
  if (program().kind === 'container') spawnSync('docker', ['kill', containerName(folder)], { stdio: 'ignore' });
  child.kill('SIGKILL');
}
