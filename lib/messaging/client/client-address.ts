import { definedAttributes } from '../../core/defined-attributes.js';
import { callSafely } from '../../core/diagnostics.js';
import { isObject } from '../../core/is-object.js';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT } from '@opentelemetry/semantic-conventions';
import type { TransportName } from '../transports.js';
import type { MessageClient } from './message-client.js';

/** The addresses that Nest uses if the options have none. */
const DEFAULTS: Readonly<Record<TransportName, string>> = {
  tcp: 'localhost:3000',
  redis: 'localhost:6379',
  nats: 'localhost:4222',
  mqtt: 'localhost:1883',
  rabbitmq: 'localhost:5672',
  kafka: 'localhost:9092',
};

/** Returns the attributes of the server that a client sends to. Empty if it has several. */
export function addressAttributes(client: MessageClient, transport: TransportName): Attributes {
  return callSafely('Reading the address of a client', () => attributesOf(configuredAddress(client), transport)) ?? {};
}

/** Returns what the client was told to connect to, in whatever form. Undefined if it has several servers. */
function configuredAddress(client: MessageClient): unknown {
  const own = client as unknown as Record<string, unknown>;
  const options = (isObject(client.options) ? client.options : {}) as Record<string, unknown>;
  const host = options.host ?? own.host ?? options.hostname;
  if (host !== undefined || options.port !== undefined) return { host, port: options.port ?? own.port };
  const servers = own.brokers ?? options.servers ?? options.urls ?? own.url ?? options.url;
  return Array.isArray(servers) ? (servers.length === 1 ? servers[0] : null) : servers;
}

function attributesOf(address: unknown, transport: TransportName): Attributes {
  // Several servers are configured, or a function that looks them up.
  if (address === null || typeof address === 'function') return {};
  const { host, port } = isObject(address) ? fieldsOf(address) : parse(address, transport);
  const [defaultHost, defaultPort] = DEFAULTS[transport].split(':');
  return definedAttributes({
    [ATTR_SERVER_ADDRESS]: typeof host === 'string' ? host : defaultHost,
    [ATTR_SERVER_PORT]: Number(port ?? defaultPort) || undefined,
  });
}

function fieldsOf(address: object): { host: unknown; port: unknown } {
  const { host, hostname, port } = address as Record<string, unknown>;
  return { host: host ?? hostname, port };
}

/** Parses an address, with or without a scheme. It may have credentials, which are left out. */
function parse(address: unknown, transport: TransportName): { host?: string | undefined; port?: string | undefined } {
  if (typeof address !== 'string') return {};
  const { hostname, port } = new URL(address.includes('://') ? address : `${transport}://${address}`);
  return { host: hostname.replace(/^\[|\]$/g, '') || undefined, port: port || undefined };
}
