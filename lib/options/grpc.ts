import { TracingConfigurationError } from '../tracing.errors.js';
import type { GrpcCall, GrpcOptions } from '../tracing.options.js';
import { recordedHeaders } from './headers.js';
import { knownKeys } from './known-keys.js';
import { flag } from './parse.js';
import { anyMatcher, regExpMatcher, wildcardMatcher } from './path-pattern.js';
import type { ResolvedGrpc } from './resolved-options.js';
import { option } from './setting.js';
import { trust } from './trust.js';

/** gRPC's own services: probes of orchestrators and tools, of no interest to anybody who reads a trace. */
const BUILT_IN = /^grpc\.(health|reflection)\.[^/]+\//;

/** `package.Service/Method`, also with `*` for any characters. */
const METHOD = /^[\w.*]+(\/[\w*]+)?$/;

/** Settles how gRPC calls are traced. */
export function resolveGrpc(given: GrpcOptions | undefined): ResolvedGrpc {
  const options = knownKeys<GrpcOptions>('grpc', given, [
    'ignore',
    'trustIncoming',
    'builtInServices',
    'requestMetadata',
    'responseMetadata',
    'messageEvents',
  ]);
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
