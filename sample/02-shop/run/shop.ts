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

/** The four services, the payment provider, and an embedded database if `DATABASE_URL` names no other, each in its own process. */
export class Shop {
  /** Rejects if one of the processes ends by itself. */
  readonly broken: Promise<never>;
  /** Resolves with the address of the gateway when all services listen. */
  readonly ready: Promise<string>;
  /** The URLs of the services' metrics, by the name of the service. */
  readonly metrics: Readonly<Record<string, string>>;

  private constructor(
    gateway: ServiceProcess,
    private readonly services: readonly ServiceProcess[],
    private readonly database: ServiceProcess | undefined,
    metricsPorts: Readonly<Record<string, number>>,
  ) {
    this.metrics = Object.fromEntries(
      Object.entries(metricsPorts).map(([service, port]) => [service, `http://127.0.0.1:${port}/metrics`]),
    );
    this.broken = Promise.race([...services, ...(database ? [database] : [])].map(({ broken }) => broken));
    this.ready = Promise.all(services.map(({ listening }) => listening)).then(() => gateway.listening);
  }

  static async start({ folder, traces, port, env, envOf = {} }: ShopOptions): Promise<Shop> {
    const [free = 0, ordersPort, inventoryPort, paymentsPort, databasePort, eventsPort, ...metricsPorts] =
      await freePorts(8);
    const [ordersMetrics, inventoryMetrics] = metricsPorts as [number, number];
    const gatewayPort = port ?? free;
    const start = (name: string, settings: NodeJS.ProcessEnv, file = `${name}/main.js`) =>
      new ServiceProcess(name, join(folder, file), {
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
    const NOTIFICATIONS_URL = `127.0.0.1:${eventsPort}`;
    const PAYMENTS_URL = `http://127.0.0.1:${paymentsPort}`;
    const hasDatabase = Boolean(env?.DATABASE_URL ?? process.env.DATABASE_URL);
    const database = hasDatabase ? undefined : start('database', { PORT: String(databasePort) }, 'run/database.js');
    const gateway = start('gateway', { PORT: String(gatewayPort), ORDERS_URL });
    const services = [
      gateway,
      start('inventory', { INVENTORY_URL, METRICS_PORT: String(inventoryMetrics) }),
      start('payments', { PORT: String(paymentsPort) }),
      start('notifications', { NOTIFICATIONS_URL }),
    ];
    // This service needs the database when it starts.
    const embedded = database && { DATABASE_URL: await database.listening, DATABASE_CONNECTIONS: '1' };
    const urls = { ORDERS_URL, INVENTORY_URL, NOTIFICATIONS_URL, PAYMENTS_URL };
    services.push(start('orders', { ...urls, METRICS_PORT: String(ordersMetrics), ...embedded }));
    return new Shop(gateway, services, database, {
      gateway: gatewayPort,
      orders: ordersMetrics,
      inventory: inventoryMetrics,
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop()));
    await this.database?.stop();
  }
}
