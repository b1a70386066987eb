import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { METADATA_RULES, parseHeaderName } from './headers.js';
import { readOption, type Setting } from './setting.js';
import { isOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** What responses tell clients about their trace. */
export interface ResponseOptions {
  /**
   * The name of the header of HTTP responses, and the key of the metadata of gRPC responses, with the id of the trace, such as `x-trace-id`. It
   * is initial metadata, or trailing metadata of a call that fails before it has sent any. What the application sets itself is kept.
   * @default none
   */
  traceId?: string | undefined;

  /**
   * True if HTTP responses have the trace context in `Server-Timing`, from where scripts of a page read it: `traceparent;desc="00-…"`. It
   * is added to what the application sends in this header.
   * @default false
   */
  serverTiming?: BooleanOption | undefined;
}

export interface ResolvedResponse {
  readonly traceId: string | undefined;
  readonly serverTiming: boolean;
}

/** Headers that decide how a client reads the response. */
const RESERVED =
  /^(connection|content-.*|date|keep-alive|location|server-timing|set-cookie|te|trailer|transfer-encoding|upgrade)$/;

/** Resolves what responses tell about the trace. Returns undefined if they tell nothing. */
export function resolveResponse(given: ResponseOptions | undefined): ResolvedResponse | undefined {
  const options = checkKeys<ResponseOptions>('response', given, { traceId: true, serverTiming: true });
  const traceId = readOption('response.traceId', options.traceId);
  const resolved = {
    traceId: traceId && parseIdHeader(traceId),
    serverTiming: isOn('response.serverTiming', options.serverTiming, false),
  };
  return resolved.traceId === undefined && !resolved.serverTiming ? undefined : Object.freeze(resolved);
}

/** Parses a name that HTTP allows for a header and gRPC for metadata. */
function parseIdHeader({ name, value }: Setting): string {
  const header = parseHeaderName(name, value);
  if (RESERVED.test(header)) {
    const fix = 'This header has a meaning of its own. Use another one, such as x-trace-id.';
    throw new TracingConfigurationError(name, value, fix);
  }
  if (METADATA_RULES.name.test(header) && !header.startsWith('grpc-')) return header;
  throw new TracingConfigurationError(
    name,
    value,
    'Give a name that gRPC allows for text as well, such as x-trace-id.',
  );
}
