import { join } from 'node:path';
import { freePorts } from './free-ports.js';
import { ServiceProcess } from './service-process.js';

export interface ShopOptions {
  /** Where the compiled services lie. */
  readonly folder: string;
  /** Where their spans go. */
  readonly traces: string;
  /** Of the gateway. @default a free one */
  readonly port?: number | undefined;
  /** More variables for all services, or for one of them by its name. */
  readonly env?: NodeJS.ProcessEnv;
  readonly envOf?: Readonly<Record<string, NodeJS.ProcessEnv>>;
}

/** The three services and the payment provider, each in a process of its own. */
export class Shop {
  /** Rejects when one of them ends by itself. */
  readonly broken: Promise<never>;
  /** Resolves with the gateway's address when all are up. */
  readonly ready: Promise<string>;
  /** Where the metrics of the services are, by their names, once they are up. */
  readonly metrics: Readonly<Record<string, string>>;
  readonly #processes: readonly ServiceProcess[];

  private constructor(
    gateway: ServiceProcess,
    others: readonly ServiceProcess[],
    metricsPorts: Readonly<Record<string, number>>,
  ) {
    this.metrics = Object.fromEntries(
      Object.entries(metricsPorts).map(([service, port]) => [service, `http://127.0.0.1:${port}/metrics`]),
    );
    this.#processes = [gateway, ...others];
    this.broken = Promise.race(this.#processes.map(({ broken }) => broken));
    this.ready = Promise.all(this.#processes.map(({ listening }) => listening)).then(() => gateway.listening);
  }

  static async start({ folder, traces, port, env, envOf = {} }: ShopOptions): Promise<Shop> {
    const [free = 0, ordersPort, inventoryPort, paymentsPort, ...metricsPorts] = await freePorts(6);
    const [ordersMetrics, inventoryMetrics] = metricsPorts as [number, number];
    const gatewayPort = port ?? free;
    const start = (name: string, settings: NodeJS.ProcessEnv) =>
      new ServiceProcess(name, join(folder, name, 'main.js'), {
        ...process.env,
        SERVICE_NAME: name,
        OTEL_EXPORTER_OTLP_ENDPOINT: traces,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        ...settings,
        ...env,
        ...envOf[name],
      });
    const ORDERS_URL = `127.0.0.1:${ordersPort}`;
    const INVENTORY_URL = `127.0.0.1:${inventoryPort}`;
    const PAYMENTS_URL = `http://127.0.0.1:${paymentsPort}`;
    return new Shop(
      start('gateway', { PORT: String(gatewayPort), ORDERS_URL }),
      [
        start('orders', { ORDERS_URL, INVENTORY_URL, PAYMENTS_URL, METRICS_PORT: String(ordersMetrics) }),
        start('inventory', { INVENTORY_URL, METRICS_PORT: String(inventoryMetrics) }),
        start('payments', { PORT: String(paymentsPort) }),
      ],
      { gateway: gatewayPort, orders: ordersMetrics, inventory: inventoryMetrics },
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((service) => service.stop()));
  }
}
