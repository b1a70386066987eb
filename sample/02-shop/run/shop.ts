import { join } from 'node:path';
import { freePorts } from './free-ports.js';
import { ServiceProcess } from './service-process.js';

export interface ShopOptions {
  /** The folder of the compiled services. */
  readonly folder: string;
  /** The OTLP endpoint for their spans. */
  readonly traces: string;
  /** The port of the gateway. @default a free port */
  readonly port?: number | undefined;
  /** Additional environment variables for all services, and for single services by name. */
  readonly env?: NodeJS.ProcessEnv;
  readonly envOf?: Readonly<Record<string, NodeJS.ProcessEnv>>;
}

/** The three services and the payment provider, each in its own process. */
export class Shop {
  /** Rejects if one of the processes ends by itself. */
  readonly broken: Promise<never>;
  /** Resolves with the address of the gateway when all services listen. */
  readonly ready: Promise<string>;
  /** The URLs of the services' metrics, by the name of the service. */
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
