import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { freePorts } from '../../../sample/02-shop/run/free-ports.js';
import { observabilityFolder, prometheusPrograms } from './observability.js';
import { PrometheusQuery } from './prometheus-query.js';
import { says } from './says.js';

/** The time limit for Prometheus to start, in milliseconds. */
const PATIENCE = 30_000;
/** The log line of Prometheus when it is ready. */
const READY = 'Server is ready';
/** The scrape interval. It is shorter than in production, so that tests are short. */
const INTERVAL = '250ms';

interface Configuration {
  readonly scrape_configs: readonly { readonly job_name: string }[];
}

/** A Prometheus for one test, with the configuration of the sample except for addresses and intervals. */
export class Prometheus {
  readonly query: PrometheusQuery;

  private constructor(
    private readonly folder: string,
    private readonly child: ChildProcess,
    port: number,
  ) {
    this.query = new PrometheusQuery(`http://127.0.0.1:${port}`);
  }

  /** @param targets host and port of each job of the configuration */
  static async start(targets: Readonly<Record<string, string>>): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-prometheus-'));
    const [port] = await freePorts(1);
    const config = join(folder, 'prometheus.json');
    writeFileSync(config, JSON.stringify(configuration(targets)));
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ];
    const child = spawn(prometheusPrograms().prometheus, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      await says('Prometheus', child, READY, PATIENCE);
    } catch (error) {
      rmSync(folder, { recursive: true });
      throw error;
    }
    return new Prometheus(folder, child, port!);
  }

  async stop(): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function configuration(targets: Readonly<Record<string, string>>): object {
  const file = join(observabilityFolder, 'prometheus/prometheus.yaml');
  const shipped = parse(readFileSync(file, 'utf8')) as Configuration;
  const jobs = shipped.scrape_configs.map((job) => {
    const target = targets[job.job_name];
    if (!target) throw new Error(`There is no target for the job ${job.job_name}`);
    return { ...job, static_configs: [{ targets: [target] }] };
  });
  const intervals = { scrape_interval: INTERVAL, scrape_timeout: INTERVAL, evaluation_interval: INTERVAL };
  return {
    ...shipped,
    global: intervals,
    rule_files: [join(observabilityFolder, 'prometheus/alerts.yaml')],
    scrape_configs: jobs,
  };
}
