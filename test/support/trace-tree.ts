import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** A span and all spans below it, as a test expects them. */
export interface ExpectedSpan {
  name: string;
  /** @default 'INTERNAL' */
  kind?: keyof typeof SpanKind;
  /** `UNSET`, `OK`, `ERROR`, `ERROR: message`, or a matcher of these. @default 'UNSET' */
  status?: unknown;
  /** The attributes to compare. An attribute with the value `undefined` must be missing. */
  attributes?: Record<string, unknown>;
  /** An exception reads `exception Type: message`. @default none */
  events?: readonly unknown[];
  /** The span id of a caller in another process. @default none */
  caller?: string | undefined;
  /** In the order in which they start. @default none */
  children?: ExpectedSpan[];
}

interface ServerDetails extends Omit<ExpectedSpan, 'name' | 'kind' | 'children'> {
  /** The status code of the response. Undefined if no response was sent. */
  code: number | undefined;
}

/** The span of a request. Its name is `{method} {route}`, and its status follows from the status code. */
export function server(name: string, details: number | ServerDetails, ...children: ExpectedSpan[]): ExpectedSpan {
  const { code, attributes, ...rest } = typeof details === 'number' ? { code: details } : details;
  const failed = code !== undefined && code >= 500;
  return {
    name,
    kind: 'SERVER',
    status: failed ? 'ERROR' : 'UNSET',
    ...rest,
    attributes: {
      'http.response.status_code': code,
      'http.route': name.split(' ')[1],
      'error.type': failed ? String(code) : undefined,
      ...attributes,
    },
    children,
  };
}

/** The status codes that are errors of the server. */
const SERVER_ERRORS = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

interface RpcDetails extends Omit<ExpectedSpan, 'name' | 'kind' | 'children'> {
  /** The status of the call: a code such as `OK`, or a code and a message, `NOT_FOUND: no such user`. */
  code: string;
}

/** The server span of a gRPC call. */
export function rpcServer(
  method: string,
  details: string | RpcDetails,
  ...children: (ExpectedSpan | undefined)[]
): ExpectedSpan {
  return rpc('SERVER', method, details, children);
}

/** The client span of a gRPC call. */
export function rpcClient(
  method: string,
  details: string | RpcDetails,
  ...children: (ExpectedSpan | undefined)[]
): ExpectedSpan {
  return rpc('CLIENT', method, details, children);
}

/** A gRPC call with both sides in one process, and with the same status on both sides. */
export function rpcCall(method: string, code: string, ...children: (ExpectedSpan | undefined)[]): ExpectedSpan {
  return rpcClient(method, code, rpcServer(method, code, ...children));
}

function rpc(
  kind: 'SERVER' | 'CLIENT',
  method: string,
  details: string | RpcDetails,
  children: (ExpectedSpan | undefined)[],
): ExpectedSpan {
  const { code: end, attributes, ...rest } = typeof details === 'string' ? { code: details } : details;
  const [, code = '', message = ''] = /^(\w+)(?:: (.*))?$/s.exec(end) ?? [];
  const failed = kind === 'CLIENT' ? code !== 'OK' : SERVER_ERRORS.has(code);
  return {
    name: method,
    kind,
    status: failed ? `ERROR${message && `: ${message}`}` : 'UNSET',
    ...rest,
    attributes: {
      'rpc.system.name': 'grpc',
      'rpc.method': method,
      'rpc.status_code': code,
      'error.type': failed ? code : undefined,
      ...attributes,
    },
    children: children.filter((child) => child !== undefined),
  };
}

/** The span of a controller's method. */
export function handler(name: string, ...children: ExpectedSpan[]): ExpectedSpan {
  return { name, attributes: { 'code.function.name': name }, children };
}

/** The same span, ended by something thrown: `Type: message`. It has recorded the exception, unless a child did. */
export function failed(span: ExpectedSpan, exception: string, recorded: 'here' | 'further in' = 'here'): ExpectedSpan {
  const [type, ...message] = exception.split(': ');
  return {
    ...span,
    status: recorded === 'here' ? `ERROR: ${message.join(': ')}` : 'ERROR',
    attributes: { ...span.attributes, 'error.type': type },
    ...(recorded === 'here' && { events: [`exception ${exception}`] }),
  };
}

export function spanCount(tree: ExpectedSpan): number {
  return (tree.children ?? []).reduce((sum, child) => sum + spanCount(child), 1);
}

/** Returns the exported and the expected spans in the same shape, to be compared. */
export function traceTrees(spans: readonly ReadableSpan[], expected: readonly ExpectedSpan[]) {
  const sorted = spans.toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]);
  const ids = new Set(sorted.map((span) => span.spanContext().spanId));
  const roots = sorted.filter((span) => !span.parentSpanContext || !ids.has(span.parentSpanContext.spanId));
  return {
    actual: roots.map((root, index) => actualTree(root, expected[index], sorted)),
    expected: expected.map((tree) => completeTree(tree)),
  };
}

function actualTree(span: ReadableSpan, expected: ExpectedSpan | undefined, all: readonly ReadableSpan[]): object {
  const { spanId, traceId } = span.spanContext();
  const children = all.filter((it) => it.parentSpanContext?.spanId === spanId && it.spanContext().traceId === traceId);
  const wanted = Object.keys(expected?.attributes ?? {});
  const message = span.status.message ? `: ${span.status.message}` : '';
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    status: SpanStatusCode[span.status.code] + message,
    attributes: Object.fromEntries(wanted.map((key) => [key, span.attributes[key]])),
    events: span.events.map(eventText),
    parent: parentOf(span, all),
    children: children.map((child, index) => actualTree(child, expected?.children?.[index], all)),
  };
}

function eventText({ name, attributes = {} }: ReadableSpan['events'][number]): string {
  if (name !== 'exception') return name;
  return `exception ${String(attributes['exception.type'])}: ${String(attributes['exception.message'])}`;
}

function parentOf({ parentSpanContext }: ReadableSpan, all: readonly ReadableSpan[]): string {
  if (!parentSpanContext) return 'none';
  if (all.some((it) => it.spanContext().spanId === parentSpanContext.spanId)) return 'in the tree';
  return parentSpanContext.isRemote ? `caller ${parentSpanContext.spanId}` : 'missing';
}

function completeTree(tree: ExpectedSpan, isRoot = true): object {
  return {
    name: tree.name,
    kind: tree.kind ?? 'INTERNAL',
    status: tree.status ?? 'UNSET',
    attributes: tree.attributes ?? {},
    events: tree.events ?? [],
    parent: isRoot ? (tree.caller ? `caller ${tree.caller}` : 'none') : 'in the tree',
    children: (tree.children ?? []).map((child) => completeTree(child, false)),
  };
}
