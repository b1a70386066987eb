import { context, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { IncomingOperation } from '../core/incoming-operation.js';
import { IncomingWork, RETURNED, UNMEASURED_CALL, type CallOutcome } from '../core/incoming-work.js';
import { isObject } from '../core/is-object.js';
import { Operation } from '../core/operation.js';
import type { SpanPlacement } from '../core/span-placement.js';
import { isResolveInfo, operationNameOf, type OperationNode } from './document.js';
import { measuredAttributes, OperationExchange } from './metrics.js';
import { placementOf } from './socket-caller.js';
import { operationAttributes, type OperationNaming } from './served-operation.js';

/**
 * True if a resolver is called for a request, or by the application itself within a span. If not, it is called for a message of a
 * WebSocket. An operation that was active when the socket was created is over.
 */
export function isWithinSpan(): boolean {
  return IncomingOperation.active() !== undefined || Operation.in(context.active())?.isRecording === true;
}

interface OperationStart {
  /** The name of the span if the operation is unknown. */
  readonly fallback: string;
  /** True for an event of a subscription, which is named and not measured. */
  readonly isEvent?: boolean;
  /** @default the operation begins a trace */
  readonly placement?: SpanPlacement;
}

/**
 * Starts a trace for an operation that no request has brought: it has come over a WebSocket. The parent is not the active context, which is
 * that in which the socket was created.
 */
export function startOperation(
  operation: OperationNode | undefined,
  naming: OperationNaming,
  { fallback, isEvent = false, placement = { parent: ROOT_CONTEXT } }: OperationStart,
): IncomingOperation<CallOutcome> {
  const name = operation ? naming.names.spanName(operation.operation, operationNameOf(operation)) : fallback;
  const measured = operation && !isEvent ? measuredAttributes(operation, naming) : undefined;
  const incoming = IncomingOperation.start(
    isEvent ? `${name} event` : name,
    measured ? new OperationExchange(measured) : UNMEASURED_CALL,
    {
      attributes: operation && operationAttributes(operation),
      meter: measured && naming.meter,
      placement,
    },
  );
  if (measured) incoming.measure(() => measured);
  incoming.callsResolvers = true;
  return incoming;
}

/** Returns the operation that a resolver is called for. Undefined if the arguments are not those of a resolver. */
export function operationOf(args: readonly unknown[]): OperationNode | undefined {
  const info = args[3];
  return isResolveInfo(info) ? info.operation : undefined;
}

/** The root fields of one operation, which share its span. */
class RootFields {
  private running = 0;
  private failure: CallOutcome | undefined;

  constructor(
    readonly incoming: IncomingOperation<CallOutcome>,
    private readonly onEnd: () => void = () => {},
  ) {}

  start(): void {
    this.running++;
  }

  end(outcome: CallOutcome): void {
    this.running--;
    if (outcome.type === 'failed' && this.failure) this.incoming.recordException(outcome.thrown);
    else if (outcome.type !== 'returned') this.failure ??= outcome;
    // The root fields of a query are all resolved in one turn, the first of which may have its value at once.
    queueMicrotask(() => {
      if (this.running > 0) return;
      this.onEnd();
      this.incoming.end(this.failure ?? RETURNED);
    });
  }
}

/** The root fields of operations that are executed, by an object that each execution has for itself: the values of its variables. */
const fieldsOf = new WeakMap<object, RootFields | Context>();

/**
 * The call of a resolver that is an operation of its own, or one of the root fields of such an operation. It ends with the result, but not with the
 * events of a subscription.
 */
export class RootWork extends IncomingWork {
  readonly followsGenerators = false;

  /** Starts the work of a root field that no request has brought. The root fields of one operation are one trace. */
  static startField(field: string, args: readonly unknown[], naming: OperationNaming): RootWork {
    const info = args[3];
    const execution = isResolveInfo(info) && isObject(info.variableValues) ? info.variableValues : undefined;
    const known = execution && fieldsOf.get(execution);
    if (known instanceof RootFields) return new RootWork(known);
    // The fields of a mutation follow each other, so the span of an earlier one has ended.
    const placement = known ? { parent: known } : placementOf(args[2], naming.trustIncoming);
    const incoming = startOperation(operationOf(args), naming, { fallback: field, placement });
    if (!execution) return new RootWork(new RootFields(incoming));
    const parent = trace.setSpanContext(ROOT_CONTEXT, incoming.span.spanContext());
    const fields = new RootFields(incoming, () => fieldsOf.set(execution, known ?? parent));
    fieldsOf.set(execution, fields);
    return new RootWork(fields);
  }

  static of(incoming: IncomingOperation<CallOutcome>): RootWork {
    return new RootWork(new RootFields(incoming));
  }

  private constructor(private readonly fields: RootFields) {
    super(fields.incoming);
    fields.start();
  }

  protected override end(outcome: CallOutcome): void {
    this.fields.end(outcome);
  }
}
