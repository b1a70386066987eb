import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { freePorts } from '../../../sample/02-shop/run/free-ports.js';
import { until } from './jaeger-query.js';
import { says } from './says.js';

/** The configurations that the documentation offers to users. */
export const scaledFolder = join(import.meta.dirname, '../../../sample/02-shop/observability/scaled');

/** The time limit for a collector to start, and to decide about traces after its decision time, in milliseconds. */
const PATIENCE = 30_000;
const READY = 'Everything is ready';

/** The program that `scripts/test-interop.mjs` has found. */
type Program = { kind: 'binary'; path: string } | { kind: 'container'; image: string; label: string };

/** The decisions of the collector so far. */
interface Decisions {
  readonly kept: number;
  readonly dropped: number;
}

/** The binary of Jaeger as a collector, with configurations of the sample, on free ports of 127.0.0.1. */
export class Collector {
  private constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
    /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
    readonly url: string,
    private readonly metricsUrl: string,
  ) {}

  /** @param files names of the sample's files, without `.yaml` */
  static async start(files: readonly string[], settings: Record<string, string>): Promise<Collector> {
    const [http, grpc, health, metrics] = await freePorts(4);
    const env = {
      LISTEN_HOST: '127.0.0.1',
      OTLP_HTTP_PORT: String(http),
      OTLP_GRPC_PORT: String(grpc),
      HEALTH_PORT: String(health),
      METRICS_PORT: String(metrics),
      ...settings,
    };
    const name = `nestjs-tracing-collector-${http}`;
    const [command, ...args] = commandLine(configs(files), env, name);
    const child = spawn(command!, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await says('The collector', child, READY, PATIENCE);
    return new Collector(child, name, `http://127.0.0.1:${http}`, `http://127.0.0.1:${metrics}/metrics`);
  }

  /** Resolves with the decisions, as soon as this number of traces has been decided. */
  async decided(traces: number): Promise<Decisions> {
    const done = ({ kept, dropped }: Decisions) => kept + dropped >= traces;
    const decisions = await until(() => this.#decisions(), done, PATIENCE);
    if (!done(decisions)) throw new Error(`${JSON.stringify(decisions)} of ${traces} traces are decided about`);
    return decisions;
  }

  async #decisions(): Promise<Decisions> {
    const metrics = await (await fetch(this.metricsUrl)).text();
    const count = (sampled: boolean) => {
      const line = new RegExp(`global_count_traces_sampled\\S*sampled="${sampled}"\\S* (\\S+)$`, 'm').exec(metrics);
      return Number(line?.[1] ?? 0);
    };
    return { kept: count(true), dropped: count(false) };
  }

  async stop(): Promise<void> {
    const closed = once(this.child, 'close');
    // The end of Docker's client does not end the container.
    if (program().kind === 'container') spawnSync('docker', ['kill', this.name], { stdio: 'ignore' });
    this.child.kill('SIGKILL');
    await closed;
  }
}

/** Returns the complaint of the binary's own validation of these configurations together; empty if they are valid. */
export function validate(files: readonly string[]): string {
  const [command, ...args] = commandLine(['validate', ...configs(files)], {}, 'nestjs-tracing-validate');
  const { status, stdout, stderr } = spawnSync(command!, args, { env: { PATH: process.env.PATH }, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

/** @param files names of the sample's files, or paths */
function configs(files: readonly string[]): string[] {
  return files.flatMap((file) => ['--config', file.includes('/') ? file : join(scaledFolder, `${file}.yaml`)]);
}

function program(): Program {
  const { JAEGER_PROGRAM } = process.env;
  if (JAEGER_PROGRAM) return JSON.parse(JAEGER_PROGRAM) as Program;
  throw new Error('Run these tests by `npm run test:interop`, which looks for Jaeger.');
}

function commandLine(args: readonly string[], env: Readonly<Record<string, string>>, name: string): string[] {
  const found = program();
  if (found.kind === 'binary') return [found.path, ...args];
  const variables = Object.entries(env).map(([key, value]) => `--env=${key}=${value}`);
  const folders = new Set(args.filter((arg) => arg.endsWith('.yaml')).map((file) => dirname(file)));
  const volumes = [...folders].map((folder) => `--volume=${folder}:${folder}:ro`);
  const options = ['--rm', '--network=host', `--name=${name}`, `--label=${found.label}`, ...variables, ...volumes];
  return ['docker', 'run', ...options, found.image, ...args];
}
