import type { IncomingHttpHeaders } from 'node:http';
import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_PATH,
  ATTR_URL_QUERY,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from '@opentelemetry/semantic-conventions';
import { parseAuthority, type Authority } from '../../core/authority.js';
import { errorType } from '../../core/exception.js';
import { originForm } from '../../options/request-target.js';
import type { ResolvedHttp, HttpResponse } from '../../options/http.js';
import type { RequestSnapshot } from './request-snapshot.js';
import { frameworkText, type FrameworkRequest } from './framework-request.js';
import { knownMethod } from '../method.js';
import { redactPath, redactQuery } from '../redact-query.js';

/** Returns the attributes of a server span that come from the request alone. */
export function serverRequestAttributes(
  { encrypted, method: original, peerAddress, peerPort, target }: RequestSnapshot,
  headers: IncomingHttpHeaders,
  httpVersion: string,
  framework: FrameworkRequest | undefined,
  { knownMethods, redactQuery: isSecret }: Pick<ResolvedHttp, 'knownMethods' | 'redactQuery'>,
): Attributes {
  const method = knownMethod(original, knownMethods);
  const { path, query } = splitTarget(target);
  const server = serverAuthority(headers, framework);
  return {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_URL_PATH]: redactPath(path, isSecret),
    [ATTR_URL_SCHEME]: encrypted ? 'https' : (frameworkText(framework, 'protocol') ?? 'http'),
    [ATTR_NETWORK_PROTOCOL_VERSION]: protocolVersion(httpVersion),
    [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method === '_OTHER' ? original : undefined,
    [ATTR_URL_QUERY]: query === undefined ? undefined : redactQuery(query, isSecret),
    [ATTR_SERVER_ADDRESS]: server.host,
    [ATTR_SERVER_PORT]: server.port,
    [ATTR_CLIENT_ADDRESS]: frameworkText(framework, 'ip') ?? peerAddress,
    [ATTR_NETWORK_PEER_ADDRESS]: peerAddress,
    [ATTR_NETWORK_PEER_PORT]: peerPort,
    [ATTR_USER_AGENT_ORIGINAL]: headers['user-agent'],
  };
}

/** Returns the attributes of the metric of active requests. */
export function serverActiveAttributes(
  { encrypted, method }: RequestSnapshot,
  knownMethods: ReadonlySet<string>,
): Attributes {
  return {
    [ATTR_HTTP_REQUEST_METHOD]: knownMethod(method, knownMethods),
    [ATTR_URL_SCHEME]: encrypted ? 'https' : 'http',
  };
}

/** Returns the attributes of the duration metric, when the request is over. */
export function serverOutcomeAttributes(
  { encrypted, method }: RequestSnapshot,
  httpVersion: string,
  framework: FrameworkRequest | undefined,
  route: string | undefined,
  response: HttpResponse,
  aborted: Error | undefined,
  knownMethods: ReadonlySet<string>,
): Attributes {
  // The protocol may come from a header, so only these two values may become values of the metric.
  const protocol = frameworkText(framework, 'protocol');
  const proxiedScheme = protocol === 'https' || protocol === 'http' ? protocol : undefined;
  const statusCode = response.headersSent ? response.statusCode : undefined;
  return {
    [ATTR_HTTP_REQUEST_METHOD]: knownMethod(method, knownMethods),
    [ATTR_URL_SCHEME]: encrypted ? 'https' : (proxiedScheme ?? 'http'),
    [ATTR_NETWORK_PROTOCOL_VERSION]: protocolVersion(httpVersion),
    ...(route !== undefined && { [ATTR_HTTP_ROUTE]: route }),
    ...(statusCode !== undefined && { [ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode }),
    ...serverError(statusCode, aborted),
  };
}

function serverError(statusCode: number | undefined, aborted: Error | undefined): Attributes | undefined {
  if (statusCode !== undefined && statusCode >= 500) return { [ATTR_ERROR_TYPE]: String(statusCode) };
  return aborted && { [ATTR_ERROR_TYPE]: errorType(aborted) };
}

function protocolVersion(httpVersion: string): string {
  return httpVersion === '2.0' ? '2' : httpVersion;
}

/** Returns the attributes of a server span that come from the response. There are none if the response never started. */
export function serverResponseAttributes(response: HttpResponse): Attributes {
  return response.headersSent ? { [ATTR_HTTP_RESPONSE_STATUS_CODE]: response.statusCode } : {};
}

/** Returns the path and the query of a request target, also of an absolute one (`GET http://host/path`). */
export function splitTarget(target: string): { path: string; query: string | undefined } {
  const local = originForm(target);
  const mark = local.indexOf('?');
  if (mark === -1) return { path: local || '/', query: undefined };
  return { path: local.slice(0, mark) || '/', query: local.slice(mark + 1) || undefined };
}

// Express and Fastify know the host that the client requested of a trusted proxy, but not the port.
function serverAuthority(headers: IncomingHttpHeaders, framework: FrameworkRequest | undefined): Authority {
  const pseudoHeader = headers[':authority'];
  const requested = parseAuthority(typeof pseudoHeader === 'string' && pseudoHeader ? pseudoHeader : headers.host);
  const hostname = frameworkText(framework, 'hostname');
  if (hostname === undefined || hostname === requested.host) return requested;
  const trusted = parseAuthority(hostname);
  return trusted.host === undefined || trusted.host === requested.host ? requested : trusted;
}
