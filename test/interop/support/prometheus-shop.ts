import { Shop } from '../../../sample/02-shop/run/shop.js';
import { send, visits, type Visit, type Visited } from '../../../sample/02-shop/run/visits.js';
import { CompiledFolder } from '../../support/compiled-folder.js';
import { until } from './jaeger-query.js';
import { Prometheus } from './prometheus.js';

/** The shop, and a Prometheus that scrapes its services. */
export class ScrapedShop {
  readonly answers: Visited[] = [];

  private constructor(
    private readonly sample: CompiledFolder,
    private readonly shop: Shop,
    private readonly url: string,
    readonly prometheus: Prometheus,
  ) {}

  /** @param traces the endpoint for the spans, by OTLP over HTTP */
  static async start(traces: string, env: NodeJS.ProcessEnv = {}): Promise<ScrapedShop> {
    const sample = new CompiledFolder('sample/02-shop');
    const shop = await Shop.start({ folder: sample.path, traces, env });
    let prometheus: Prometheus | undefined;
    try {
      const url = await Promise.race([shop.ready, shop.broken]);
      const targets = Object.entries(shop.metrics).map(([job, address]) => [job, new URL(address).host] as const);
      prometheus = await Prometheus.start(Object.fromEntries(targets));
      await prometheus.query.scraping(targets.length);
      return new ScrapedShop(sample, shop, url, prometheus);
    } catch (error) {
      await shop.stop();
      await prometheus?.stop();
      sample.remove();
      throw error;
    }
  }

  /** Sends each order this number of times, a few at once, and waits until Prometheus has counted all of them. */
  async visit(times: number, orders: readonly Visit[] = visits): Promise<void> {
    for (let round = 0; round < times; round++) {
      const round = Promise.all(orders.map((visit) => send(this.url, visit)));
      this.answers.push(...(await Promise.race([round, this.shop.broken])));
    }
    const counted = () => this.prometheus.query.total('http_server_request_duration_seconds_count{job="gateway"}');
    await until(counted, (count) => count >= this.answers.length);
  }

  async stop(): Promise<void> {
    await this.shop.stop();
    await this.prometheus.stop();
    this.sample.remove();
  }
}
