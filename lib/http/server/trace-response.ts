import { isSpanContextValid, type SpanContext } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { ResolvedResponse } from '../../options/response.js';
import type { HttpResponse } from '../../options/http.js';

const SERVER_TIMING = 'server-timing';
/** The metric of `Server-Timing` in which other agents send their trace context as well. */
const OWN_METRIC = /(^|,)\s*traceparent\s*(;|,|$)/i;

type Headers = Readonly<Record<string, unknown>> | readonly unknown[];

/** The part of a response that is used here. The methods for headers are those of HTTP/1.1 and of HTTP/2. */
interface ResponseHeaders {
  readonly headersSent: boolean;
  getHeader(name: string): unknown;
  setHeader(name: string, value: string | readonly string[]): unknown;
}

/**
 * Tells the client about the trace, in headers that are added when the response is about to write its headers: only then is it known which
 * headers the application has set, and these are kept.
 */
export function traceResponse(
  response: HttpResponse,
  spanContext: SpanContext,
  { serverTiming, traceId: idHeader }: ResolvedResponse,
): void {
  if (!isSpanContextValid(spanContext)) return;
  const { traceId } = spanContext;
  const metric = serverTiming ? `traceparent;desc="${traceparent(spanContext)}"` : undefined;
  // Node itself calls the method for a response that has not written its headers yet.
  interceptMethod(response, 'writeHead', (writeHead, thisArg, args) => {
    const passed = [...args];
    callSafely('response', () => {
      const self = thisArg as ResponseHeaders;
      if (self.headersSent) return;
      const index = args.findIndex((arg, position) => position > 0 && typeof arg === 'object' && arg !== null);
      const given = args[index] as Headers | undefined;
      if (idHeader !== undefined && valueIn(given, idHeader) === undefined && self.getHeader(idHeader) === undefined) {
        self.setHeader(idHeader, traceId);
      }
      if (metric !== undefined) addMetric(self, given, metric, (headers) => (passed[index] = headers));
    });
    return Reflect.apply(writeHead, thisArg, passed);
  });
}

/** Adds a metric to the `Server-Timing` of the application, which is among the given headers or among those set before. */
function addMetric(
  response: ResponseHeaders,
  given: Headers | undefined,
  metric: string,
  replaceGiven: (headers: Headers) => void,
): void {
  const value = valueIn(given, SERVER_TIMING);
  if (value === undefined || given === undefined) {
    const combined = combine(response.getHeader(SERVER_TIMING), metric);
    if (combined !== undefined) response.setHeader('Server-Timing', combined);
    return;
  }
  const combined = combine(value, metric);
  // The application may use its headers again, so they are copied.
  if (combined !== undefined) replaceGiven(withValue(given, combined));
}

/** Returns undefined if the value has a metric of this name already. */
function combine(value: unknown, metric: string): string | string[] | undefined {
  if (value === undefined || value === '') return metric;
  const values = (Array.isArray(value) ? value : [value]).map(String);
  if (values.some((one) => OWN_METRIC.test(one))) return undefined;
  return values.length === 1 ? `${values[0]}, ${metric}` : [...values, metric];
}

/** Returns the value of a header among those that are passed to `writeHead()`: an object, a list of pairs, or a flat list. */
function valueIn(headers: Headers | undefined, name: string): unknown {
  if (headers === undefined) return undefined;
  const found = entriesOf(headers).filter(([key]) => String(key).toLowerCase() === name);
  return found.length > 1 ? found.map(([, value]) => value) : found[0]?.[1];
}

function withValue(headers: Headers, value: string | string[]): Headers {
  if (!Array.isArray(headers)) {
    const key = Object.keys(headers).find((one) => one.toLowerCase() === SERVER_TIMING) ?? SERVER_TIMING;
    return { ...(headers as Record<string, unknown>), [key]: value };
  }
  const others = entriesOf(headers).filter(([key]) => String(key).toLowerCase() !== SERVER_TIMING);
  const values = Array.isArray(value) ? value : [value];
  const pairs = [...others, ...values.map((one) => [SERVER_TIMING, one] as const)];
  return Array.isArray(headers[0]) ? pairs : pairs.flat();
}

function entriesOf(headers: Headers): (readonly [key: unknown, value: unknown])[] {
  if (!Array.isArray(headers)) return Object.entries(headers);
  if (Array.isArray(headers[0])) return headers as (readonly [unknown, unknown])[];
  return headers.flatMap((key: unknown, index) => (index % 2 === 0 ? [[key, headers[index + 1]] as const] : []));
}

function traceparent({ spanId, traceFlags, traceId }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
