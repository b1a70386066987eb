import { propagation, trace, type Context, type Link, type TextMapGetter } from '@opentelemetry/api';
import { guarded } from './diagnostics.js';

/** Where the span of something that came in stands. */
export interface Stand {
  readonly parent: Context;
  readonly links?: Link[];
}

/** Whether a caller is trusted: where nothing is said of it, or where the application clearly says so. */
export function trusts<T>(option: string, trustIncoming: ((caller: T) => boolean) | undefined, caller: T): boolean {
  return !trustIncoming || guarded(option, () => trustIncoming(caller)) === true;
}

/**
 * Below its caller, if that sent a trace context that is well formed. One that is not trusted is only linked to: nothing of
 * its trace, its sampling decision or its baggage is adopted.
 */
export function standOf<Carrier>(
  outer: Context,
  carrier: Carrier,
  getter: TextMapGetter<Carrier>,
  trusted: boolean,
): Stand {
  const extracted = guarded('The propagator', () => propagation.extract(outer, carrier, getter)) ?? outer;
  if (trusted) return { parent: extracted };
  const parent = propagation.deleteBaggage(trace.deleteSpan(outer));
  const caller = trace.getSpanContext(extracted);
  if (!caller || !trace.isSpanContextValid(caller)) return { parent };
  const { traceId, spanId, traceFlags } = caller;
  return { parent, links: [{ context: { traceId, spanId, traceFlags, isRemote: true } }] };
}
