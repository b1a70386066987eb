import { SpanKind, SpanStatusCode, type HrTime } from '@opentelemetry/api';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';

type Parts = Omit<Partial<ReadableSpan>, 'events'> & {
  id?: string;
  parent?: string;
  /** True if the parent is in another process. */
  remote?: boolean;
  trace?: string;
  /** Milliseconds since the start of the trace. */
  from?: number;
  to?: number;
  events?: { name: string; at: number; attributes?: Record<string, string | number> }[];
};

let count = 0;

/** A finished span with the parts that a test gives, and defaults for the others. */
export function fakeSpan(name: string, parts: Parts = {}): ReadableSpan {
  const { id = `f00${++count}`, parent, remote = false, trace = 'a', from = 0, to = from + 10, events = [] } = parts;
  const context = (spanId: string, isRemote: boolean) => ({
    traceId: trace.padStart(32, '0'),
    spanId: spanId.padStart(16, '0'),
    traceFlags: 1,
    isRemote,
  });
  return {
    kind: SpanKind.INTERNAL,
    status: { code: SpanStatusCode.UNSET },
    attributes: {},
    links: [],
    ended: true,
    resource: { attributes: { 'service.name': 'shop' } } as unknown as ReadableSpan['resource'],
    instrumentationScope: { name: 'test' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...parts,
    name,
    spanContext: () => context(id, false),
    parentSpanContext: parent === undefined ? undefined : context(parent, remote),
    startTime: time(from),
    endTime: time(to),
    duration: [Math.floor((to - from) / 1e3), Math.round(((to - from) % 1e3) * 1e6)],
    events: events.map((event) => ({ name: event.name, attributes: event.attributes, time: time(event.at) })),
  };
}

function time(milliseconds: number): HrTime {
  return [1_700_000_000 + Math.floor(milliseconds / 1e3), Math.round((milliseconds % 1e3) * 1e6)];
}
