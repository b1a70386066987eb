import { TracingConfigurationError } from '../tracing.errors.js';
import { recordedHeaders, type ResolvedHeader } from './headers.js';
import { knownKeys } from './known-keys.js';
import { flag } from './parse.js';
import { anyMatcher, regExpMatcher, wildcardMatcher } from './path-pattern.js';
import { option } from './setting.js';
import { trust } from './trust.js';

/** A gRPC method: its full name (`shop.Orders/Place`), one with `*` for any characters (`shop.Orders/*`), or a pattern. */
export type GrpcMethodPattern = string | RegExp;

/** A gRPC call, as far as options may look at it. */
export interface GrpcCall {
  /** Such as `shop.Orders/Place`. */
  readonly method: string;
  /** Whether this process serves the call or makes it. */
  readonly side: 'server' | 'client';
  /** What the caller sent along. */
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
}

/** How gRPC calls are traced, on both sides. */
export interface GrpcOptions {
  /**
   * Calls that are not traced: methods, or a function. On the server nothing beneath them is traced either.
   * @default []
   */
  ignore?: GrpcMethodPattern | readonly GrpcMethodPattern[] | ((call: GrpcCall) => boolean);

  /**
   * Whether calls of gRPC's own health and reflection services are traced.
   * @default false
   */
  builtInServices?: boolean;

  /**
   * Whether the trace context that a call brings is adopted. Where it is not, the call begins a trace of its own with a link
   * to the caller's span. A function that throws has said no.
   * @default true
   */
  trustIncoming?: boolean | ((call: GrpcCall) => boolean);

  /**
   * Metadata of the caller to record as `rpc.request.header.<name>`. Credentials are redacted even then.
   * @default []
   */
  requestMetadata?: readonly string[];

  /**
   * Metadata of the answer to record: what comes before it as `rpc.response.header.<name>`, what comes after it as
   * `rpc.response.trailer.<name>`.
   * @default []
   */
  responseMetadata?: readonly string[];

  /**
   * Whether each message of a stream is noted as an event of its span.
   * @default false
   */
  messageEvents?: boolean;
}

export interface ResolvedGrpc {
  /** Whether this call is left out; may throw, where the user wrote it. */
  readonly ignore: (call: GrpcCall) => boolean;
  /** Whether the caller's trace context is adopted; may throw, where the user wrote it. Undefined: it is. */
  readonly trustIncoming: ((call: GrpcCall) => boolean) | undefined;
  readonly requestMetadata: readonly ResolvedHeader[];
  readonly responseMetadata: readonly ResolvedHeader[];
  readonly messageEvents: boolean;
}

/** gRPC's own services: probes of orchestrators and tools, of no interest to anybody who reads a trace. */
const BUILT_IN = /^grpc\.(health|reflection)\.[^/]+\//;

/** `package.Service/Method`, also with `*` for any characters. */
const METHOD = /^[\w.*]+(\/[\w*]+)?$/;

/** Settles how gRPC calls are traced. */
export function resolveGrpc(given: GrpcOptions | undefined): ResolvedGrpc {
  const options = knownKeys<GrpcOptions>('grpc', given, {
    ignore: true,
    trustIncoming: true,
    builtInServices: true,
    requestMetadata: true,
    responseMetadata: true,
    messageEvents: true,
  });
  const setting = (key: keyof GrpcOptions) => option(`grpc.${key}`, options[key]);
  const builtInServices = setting('builtInServices');
  const messageEvents = setting('messageEvents');
  return Object.freeze({
    ignore: ignorePredicate(options.ignore, builtInServices ? flag(builtInServices) : false),
    trustIncoming: trust<GrpcCall>(setting('trustIncoming')),
    requestMetadata: recordedHeaders(setting('requestMetadata')),
    responseMetadata: recordedHeaders(setting('responseMetadata')),
    messageEvents: messageEvents ? flag(messageEvents) : false,
  });
}

function ignorePredicate(given: GrpcOptions['ignore'], builtInServices: boolean): ResolvedGrpc['ignore'] {
  const isBuiltIn = ({ method }: GrpcCall) => !builtInServices && BUILT_IN.test(method);
  if (given === undefined) return isBuiltIn;
  if (typeof given === 'function') return (call) => isBuiltIn(call) || given(call);
  const matches = anyMatcher('grpc.ignore', given, methodMatcher);
  return (call) => isBuiltIn(call) || matches(call.method);
}

function methodMatcher(name: string, pattern: unknown): (method: string) => boolean {
  if (pattern instanceof RegExp) return regExpMatcher(pattern);
  if (typeof pattern === 'string' && METHOD.test(pattern)) return wildcardMatcher(pattern);
  const fix = 'Write a full name, such as shop.Orders/Place or shop.Orders/*, or a regular expression.';
  throw new TracingConfigurationError(name, pattern, fix);
}
