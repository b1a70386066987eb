import { publicAddress } from '../../core/public-address.js';
import type { ResolvedExporter } from '../../options/exporter.js';
import type { SpanExporter } from '../../options/sdk-types.js';

/** Returns the name of the place where an exporter sends spans, for messages: without credentials. */
export function destinationOf(resolved: ResolvedExporter): string {
  switch (resolved.type) {
    case 'otlp':
      return publicAddress(resolved.url);
    case 'jaeger':
      return 'endpoint' in resolved ? publicAddress(resolved.endpoint) : `${resolved.host}:${resolved.port}`;
    case 'custom':
      return exporterClassName(resolved.exporter);
    case 'console':
    case 'memory':
      return `the ${resolved.type}`;
  }
}

/** Returns the name of the class of an exporter. */
export function exporterClassName(exporter: SpanExporter): string {
  const name = exporter.constructor?.name;
  return name && name !== 'Object' ? name : 'the exporter';
}
