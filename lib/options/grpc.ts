import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { resolveRecordedHeaders, type ResolvedHeader } from './headers.js';
import { compileAny, compileRegExp, compileWildcard } from './pattern.js';
import type { ResolvedResponse } from './response.js';
import { readOption } from './setting.js';
import { isOn } from './switch.js';
import type { BooleanOption } from './text-types.js';
import { resolveTrust } from './trust.js';

/**
 * A gRPC method: its full name (`shop.Orders/Place`), a name with `*` for any characters (`shop.Orders/*`), or a regular expression.
 */
export type GrpcMethodPattern = string | RegExp;

/** The part of a gRPC call that options can use. */
export interface GrpcCall {
  /** The full name of the method, such as `shop.Orders/Place`. */
  readonly method: string;
  /** `server` if this process serves the call, `client` if it makes the call. */
  readonly side: 'server' | 'client';
  /** The metadata of the caller. */
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
}

/** How gRPC calls are traced, on both sides. */
export interface GrpcOptions {
  /**
   * Calls that are not traced: methods, or a function of the call. On the server, work within such a call is not traced either.
   * @default []
   */
  ignore?: GrpcMethodPattern | readonly GrpcMethodPattern[] | ((call: GrpcCall) => boolean) | undefined;

  /**
   * True if calls to gRPC's own health and reflection services are traced.
   * @default false
   */
  builtInServices?: BooleanOption | undefined;

  /**
   * True if the trace context of a caller is continued. If it is not, the call starts a new trace with a link to the caller's span.
   * A function that throws counts as false.
   * @default true
   */
  trustIncoming?: BooleanOption | ((call: GrpcCall) => boolean) | undefined;

  /**
   * Metadata of the caller that is recorded as `rpc.request.header.<name>`. Credentials are redacted even if listed.
   * @default []
   */
  requestMetadata?: readonly string[] | undefined;

  /**
   * Metadata of the response that is recorded: initial metadata as `rpc.response.header.<name>`, trailing metadata as
   * `rpc.response.trailer.<name>`. Credentials are redacted even if listed.
   * @default []
   */
  responseMetadata?: readonly string[] | undefined;

  /**
   * True if each message of a stream is recorded as an event of its span.
   * @default false
   */
  messageEvents?: BooleanOption | undefined;
}

export interface ResolvedGrpc {
  /** True if a call is not traced. It throws if the application's function throws. */
  readonly ignore: (call: GrpcCall) => boolean;
  /** True if a caller's trace context is continued. It throws if the application's function throws. Undefined if it always is. */
  readonly trustIncoming: ((call: GrpcCall) => boolean) | undefined;
  readonly requestMetadata: readonly ResolvedHeader[];
  readonly responseMetadata: readonly ResolvedHeader[];
  readonly messageEvents: boolean;
  /** Undefined if the response tells nothing about the trace. */
  /** The key of the metadata of a response that has the id of the trace. Undefined if none has. */
  readonly responseTraceId: string | undefined;
}

/** gRPC's own services. Their calls are probes of orchestrators and tools, which say nothing about the application. */
const BUILT_IN = /^grpc\.(health|reflection)\.[^/]+\//;

/** The form `package.Service/Method`, in which `*` may stand for any characters. */
const METHOD = /^[\w.*]+(\/[\w*]+)?$/;

/** Resolves how gRPC calls are traced, if they are. */
export function resolveGrpc(given: Partial<GrpcOptions> | undefined, response?: ResolvedResponse): ResolvedGrpc {
  const options = checkKeys<GrpcOptions>('grpc', given, {
    ignore: true,
    trustIncoming: true,
    builtInServices: true,
    requestMetadata: true,
    responseMetadata: true,
    messageEvents: true,
  });
  const setting = (key: keyof GrpcOptions) => readOption(`grpc.${key}`, options[key]);
  return Object.freeze({
    ignore: ignorePredicate(options.ignore, isOn('grpc.builtInServices', options.builtInServices, false)),
    trustIncoming: resolveTrust<GrpcCall>(setting('trustIncoming')),
    requestMetadata: resolveRecordedHeaders(setting('requestMetadata')),
    responseMetadata: resolveRecordedHeaders(setting('responseMetadata')),
    messageEvents: isOn('grpc.messageEvents', options.messageEvents, false),
    responseTraceId: response?.traceId,
  });
}

function ignorePredicate(given: GrpcOptions['ignore'], tracesBuiltIn: boolean): ResolvedGrpc['ignore'] {
  const isIgnoredBuiltIn = ({ method }: GrpcCall) => !tracesBuiltIn && BUILT_IN.test(method);
  if (given === undefined) return isIgnoredBuiltIn;
  if (typeof given === 'function') return (call) => isIgnoredBuiltIn(call) || given(call);
  const matches = compileAny('grpc.ignore', given, compileMethodPattern);
  return (call) => isIgnoredBuiltIn(call) || matches(call.method);
}

function compileMethodPattern(option: string, pattern: unknown): (method: string) => boolean {
  if (pattern instanceof RegExp) return compileRegExp(pattern);
  if (typeof pattern === 'string' && METHOD.test(pattern)) return compileWildcard(pattern);
  const fix = 'Write a full name, such as shop.Orders/Place or shop.Orders/*, or a regular expression.';
  throw new TracingConfigurationError(option, pattern, fix);
}
