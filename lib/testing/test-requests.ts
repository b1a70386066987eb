import type { HttpAdapterHost } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import type { OutgoingRequest } from '../options/http-client.js';
import { urlPort } from '../options/url-port.js';

/** The applications under test that are up. */
const hosts = new Set<HttpAdapterHost>();

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|\[::\])$/;

/** Recognizes requests to the server of an application, until the returned function is called. */
export function recognizeRequestsTo(host: HttpAdapterHost): () => void {
  hosts.add(host);
  return () => void hosts.delete(host);
}

/**
 * True for a request that a test sends to an application: it is sent outside of any span, and to the server of an application in this
 * process. An application that calls itself does so within a span.
 */
export function isRequestOfTest({ url }: OutgoingRequest): boolean {
  if (trace.getActiveSpan() !== undefined || !LOOPBACK.test(url.hostname)) return false;
  const port = urlPort(url);
  return port !== undefined && isServed(port);
}

function isServed(port: number): boolean {
  return [...hosts].some((host) => portOf(host) === port);
}

/** Returns the port of an application. Undefined if it does not listen, or has no HTTP server. */
function portOf({ httpAdapter }: HttpAdapterHost): number | undefined {
  const server = httpAdapter?.getHttpServer() as { address?(): unknown } | undefined;
  const address = server?.address?.();
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : undefined;
}
