import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { status as codes, type StatusObject } from '@grpc/grpc-js';

/** Codes that are the server's fault by the semantic conventions. */
const serverErrors = new Set([
  codes.UNKNOWN,
  codes.DEADLINE_EXCEEDED,
  codes.UNIMPLEMENTED,
  codes.INTERNAL,
  codes.UNAVAILABLE,
  codes.DATA_LOSS,
]);

export function methodOf(path: string): string {
  return path.slice(1);
}

export function startAttributes(method: string) {
  return { 'rpc.system.name': 'grpc', 'rpc.method': method };
}

export function addressAttributes(prefix: 'server' | 'network.peer', address: string) {
  const colon = address.lastIndexOf(':');
  return { [`${prefix}.address`]: address.slice(0, colon), [`${prefix}.port`]: Number(address.slice(colon + 1)) };
}

export function endWith(
  span: Span,
  { code, details }: Pick<Partial<StatusObject>, 'code' | 'details'>,
  side: 'server' | 'client',
): void {
  span.setAttribute('rpc.status_code', codes[code ?? codes.UNKNOWN]);
  if (code !== codes.OK && (side === 'client' || serverErrors.has(code ?? codes.UNKNOWN))) {
    span.setStatus({ code: SpanStatusCode.ERROR, ...(details && { message: details }) });
  }
  span.end();
}
