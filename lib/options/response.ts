import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { METADATA_RULES, parseHeaderName } from './headers.js';
import { parseBoolean } from './parse.js';
import { readOption, type Setting } from './setting.js';
import type { BooleanOption } from './text-types.js';

/** What the response to an HTTP request tells the client about its trace. */
export interface HttpResponseOptions {
  /**
   * The name of the response header with the id of the trace, such as `x-trace-id`. A header that the application sets is kept.
   * @default no header
   */
  traceId?: string;

  /**
   * True if the response has the trace context in `Server-Timing`, from where scripts of a page read it: `traceparent;desc="00-…"`. It
   * is added to what the application sends in this header.
   * @default false
   */
  serverTiming?: BooleanOption;
}

/** What the response to a gRPC call tells the client about its trace. */
export interface GrpcResponseOptions {
  /**
   * The key of the metadata with the id of the trace, such as `x-trace-id`: initial metadata, or trailing metadata of a call that fails
   * before it has sent any. Metadata that the application sets is kept.
   * @default no metadata
   */
  traceId?: string;
}

export interface ResolvedHttpResponse {
  readonly traceId: string | undefined;
  readonly serverTiming: boolean;
}

export interface ResolvedGrpcResponse {
  readonly traceId: string;
}

/** Headers that decide how a client reads the response. */
const RESERVED =
  /^(connection|content-.*|date|keep-alive|location|server-timing|set-cookie|te|trailer|transfer-encoding|upgrade)$/;

/** Resolves what HTTP responses tell about the trace. Returns undefined if they tell nothing. */
export function resolveHttpResponse(given: HttpResponseOptions | undefined): ResolvedHttpResponse | undefined {
  const keys = { traceId: true, serverTiming: true };
  const options = checkKeys<HttpResponseOptions>('http.response', given, keys);
  const traceId = readOption('http.response.traceId', options.traceId);
  const serverTiming = readOption('http.response.serverTiming', options.serverTiming);
  const resolved = {
    traceId: traceId && parseIdHeader(traceId),
    serverTiming: serverTiming !== undefined && parseBoolean(serverTiming),
  };
  return resolved.traceId === undefined && !resolved.serverTiming ? undefined : Object.freeze(resolved);
}

/** Resolves what responses to gRPC calls tell about the trace. Returns undefined if they tell nothing. */
export function resolveGrpcResponse(given: GrpcResponseOptions | undefined): ResolvedGrpcResponse | undefined {
  const options = checkKeys<GrpcResponseOptions>('grpc.response', given, { traceId: true });
  const setting = readOption('grpc.response.traceId', options.traceId);
  if (!setting) return undefined;
  const traceId = parseIdHeader(setting);
  if (METADATA_RULES.name.test(traceId) && !traceId.startsWith('grpc-')) return Object.freeze({ traceId });
  throw new TracingConfigurationError(
    setting.name,
    setting.value,
    'Give a key that gRPC allows for text, such as x-trace-id.',
  );
}

function parseIdHeader({ name, value }: Setting): string {
  const header = parseHeaderName(name, value);
  if (!RESERVED.test(header)) return header;
  throw new TracingConfigurationError(
    name,
    value,
    'This header has a meaning of its own. Use another one, such as x-trace-id.',
  );
}
