import 'reflect-metadata';
import type { ModulesContainer } from '@nestjs/core';
import { findGateways } from '../core/gateways.js';
import { GATEWAY_OPTIONS_METADATA } from '../core/nest-metadata.js';

/** The namespace that every socket of Socket.IO has if it names no other. */
const MAIN = '/';
/** The value for a namespace that matches a pattern of a gateway, and that a client can therefore choose. */
const OTHER = '_OTHER';

/** The namespaces that the gateways of an application have as a text. Only these may be part of a name. */
export class Namespaces {
  private readonly known = new Set<string>();

  add(modules: ModulesContainer): void {
    for (const { metatype } of findGateways(modules)) {
      const options = Reflect.getMetadata(GATEWAY_OPTIONS_METADATA, metatype) as { namespace?: unknown } | undefined;
      const namespace = options?.namespace;
      if (typeof namespace === 'string') this.known.add(namespace.startsWith('/') ? namespace : `/${namespace}`);
    }
  }

  /** Returns the name of a span. */
  spanName(namespace: string | undefined, event: string): string {
    const isNamed = namespace !== undefined && namespace !== MAIN && this.known.has(namespace);
    return isNamed ? `${namespace} ${event}` : event;
  }

  /** Returns the value of a metric's attribute. Undefined if the protocol has no namespaces. */
  metricValue(namespace: string | undefined): string | undefined {
    if (namespace === undefined || namespace === MAIN || this.known.has(namespace)) return namespace;
    return OTHER;
  }
}
