import {
  context,
  propagation,
  SpanKind,
  type Attributes,
  type Context,
  type Link,
  type TextMapSetter,
  type TimeInput,
} from '@opentelemetry/api';
import { callSafely } from './diagnostics.js';
import { ExchangeOperation, type Exchange } from './exchange-operation.js';
import { Operation } from './operation.js';
import type { OperationMeter } from './operation-meter.js';

export interface OutgoingOptions {
  /** @default SpanKind.CLIENT */
  readonly kind?: SpanKind;
  /** @default the active context */
  readonly parent?: Context;
  /** Attributes that the span has from its start, so that a sampler sees them. */
  readonly attributes?: Attributes | undefined;
  readonly links?: Link[] | undefined;
  /** @default now */
  readonly startTime?: TimeInput | undefined;
  /** Undefined if nothing measures the exchange. */
  readonly meter: OperationMeter | undefined;
}

/** An exchange that the application starts with another process: an HTTP request, a gRPC call, a message, a query. */
export class OutgoingOperation<Outcome = unknown> extends ExchangeOperation<Outcome> {
  /** Starts the span of an exchange, as a child of the active span or of that in `parent`. */
  static start<Outcome>(
    name: string,
    exchange: Exchange<Outcome>,
    { attributes, kind = SpanKind.CLIENT, links, meter, parent = context.active(), startTime }: OutgoingOptions,
  ): OutgoingOperation<Outcome> {
    const start = () =>
      Operation.start(name, {
        kind,
        parent,
        ...(attributes && { attributes }),
        ...(links && { links }),
        ...(startTime !== undefined && { startTime }),
      });
    return new OutgoingOperation(exchange, meter, start, false);
  }

  /** Returns the operation of an exchange that another instrumentation has a span for. It is only measured. */
  static measureOnly<Outcome>(
    exchange: Exchange<Outcome>,
    meter: OperationMeter | undefined,
    parent: Context = context.active(),
  ): OutgoingOperation<Outcome> {
    return new OutgoingOperation(exchange, meter, () => Operation.suppressed(parent), true);
  }

  private constructor(
    exchange: Exchange<Outcome>,
    meter: OperationMeter | undefined,
    startOperation: () => Operation,
    /** True if the operation has no span, because another instrumentation has one for the exchange. */
    readonly isMeasuredOnly: boolean,
  ) {
    super(exchange, meter, startOperation);
  }

  /** Injects the trace context of the exchange into a carrier. */
  inject<Carrier>(carrier: Carrier, setter: TextMapSetter<Carrier>): void {
    callSafely('The propagator', () => propagation.inject(this.context, carrier, setter));
  }
}
