import {
  context,
  createContextKey,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Context,
  type Link,
  type Span,
} from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import { errorType } from '../core/exception.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { RETURNED, type CallOutcome } from '../core/incoming-work.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { Operation } from '../core/operation.js';
import type { ChannelCall } from '../core/tracing-channel.js';
import { executionErrors } from './channel-messages.js';
import { operationNameOf, type OperationNode } from './document.js';
import type { OperationError } from './errors.js';
import { followLaterParts } from './follow-later-parts.js';
import { OperationTimer } from './metrics.js';
import { isWithinSpan, startOperation } from './root-work.js';
import {
  describeOperation,
  failureType,
  isShown,
  markFailed,
  operationAttributes,
  recordErrors,
  type OperationNaming,
  type RecordingTarget,
} from './served-operation.js';
import { areEventsTraced } from './subscription-events.js';

/** The link to the start of the subscription whose next event is asked for in a context. */
const SUBSCRIPTION = createContextKey('nestjs-tracing GraphQL subscription');

/**
 * Starts what is traced of an operation that graphql executes:
 *
 * - the request itself executes it, before any handler: the operation describes the span of the request;
 * - another span is active, that of a handler say: the operation has a span below it;
 * - neither, as over a WebSocket: the operation begins a trace. The resolvers of Nest do that themselves, since they know the connection.
 */
export function startExecution(
  operation: OperationNode | undefined,
  caller: Context,
  naming: OperationNaming,
  isOfNest: boolean,
): ChannelCall | undefined {
  const incoming = IncomingOperation.in(caller);
  // The hooks of Nest's driver have described the request, but may not see the exceptions.
  if (!operation || (incoming && isShown(incoming, operation))) return incoming && new Execution(incoming);
  if (!isWithinSpan()) return isOfNest ? undefined : new OwnTrace(operation, naming);
  const isDescribed = incoming !== undefined && describeOperation(incoming, operation, naming);
  const timer = OperationTimer.start(naming);
  timer?.name(operation);
  if (isDescribed && !incoming.isHandlerReached) return new Execution(incoming, operation, timer);
  const span = Operation.unrecordedSpanFor(caller, {});
  if (span) return timer && new Execution({ isRecording: false, span, recordException: () => {} }, operation, timer);
  return new OwnSpan(operation, naming, timer);
}

/** Starts the trace of an event of a subscription, unless the resolver of the subscription has. */
export function startEvent(
  operation: OperationNode,
  caller: Context,
  naming: OperationNaming,
): ChannelCall | undefined {
  if (operation.operation !== 'subscription' || areEventsTraced(operation)) return undefined;
  const links = caller.getValue(SUBSCRIPTION) as Link[] | undefined;
  return new OwnTrace(operation, naming, links ?? []);
}

/** An execution that a request, or another span, records. */
class Execution implements ChannelCall {
  readonly context: Context | undefined;

  constructor(
    protected readonly target: RecordingTarget,
    private readonly operation?: OperationNode,
    private readonly timer?: OperationTimer,
  ) {}

  succeed(result: unknown): void {
    const errors = [...executionErrors(result)];
    this.recordErrors(errors);
    if (this.operation) followEvents(result, this.operation, this.target.span);
    const isFollowed = followLaterParts(result, {
      context: this.context,
      onErrors: (later) => {
        errors.push(...later);
        this.recordErrors(errors);
      },
      onEnd: () => this.end(),
    });
    if (!isFollowed) this.end();
  }

  fail(thrown: unknown): void {
    if (this.target.isRecording) {
      this.target.recordException(thrown);
      markFailed(this.target, errorType(thrown));
    }
    this.timer?.fail(errorType(thrown));
    this.end();
  }

  protected end(): void {
    this.timer?.end(this.target.span);
  }

  private recordErrors(errors: readonly OperationError[]): void {
    recordErrors(this.target, errors);
    this.timer?.fail(failureType(errors));
  }
}

/** An execution with a span below the active one. */
class OwnSpan extends Execution {
  override readonly context: Context;

  constructor(operation: OperationNode, { names }: OperationNaming, timer: OperationTimer | undefined) {
    const name = names.spanName(operation.operation, operationNameOf(operation));
    const own = Operation.start(name, { attributes: operationAttributes(operation) });
    super(own, operation, timer);
    this.context = own.context;
    this.own = own;
  }

  private readonly own: Operation;

  protected override end(): void {
    this.own.end();
    super.end();
  }
}

/** An execution that begins a trace: an operation that no request has brought, or an event of a subscription. */
class OwnTrace implements ChannelCall {
  private readonly incoming: IncomingOperation<CallOutcome>;

  /** @param links the links of an event to its subscription; undefined if it is no event */
  constructor(
    private readonly operation: OperationNode,
    naming: OperationNaming,
    links?: Link[],
  ) {
    const event = links && { isEvent: true, placement: { parent: ROOT_CONTEXT, links } };
    this.incoming = startOperation(operation, naming, { fallback: operation.operation, ...event });
  }

  get context(): Context {
    return this.incoming.context;
  }

  succeed(result: unknown): void {
    const { incoming } = this;
    const errors = [...executionErrors(result)];
    recordErrors(incoming, errors);
    followEvents(result, this.operation, incoming.span);
    const end = () => {
      const failure = errors.find((error) => error.isFailure);
      incoming.end(failure ? { type: 'failed', thrown: failure.thrown } : RETURNED);
    };
    const isFollowed = followLaterParts(result, {
      context: this.context,
      onErrors(later) {
        errors.push(...later);
        recordErrors(incoming, errors);
      },
      onEnd: end,
    });
    if (!isFollowed) end();
  }

  fail(thrown: unknown): void {
    this.incoming.end({ type: 'failed', thrown });
  }
}

/** Links the events of a subscription to its start: each is executed in the context in which it is asked for. */
function followEvents(events: unknown, operation: OperationNode, start: Span): void {
  if (!isObject(events) || !(Symbol.asyncIterator in events) || areEventsTraced(operation)) return;
  const origin = start.spanContext();
  const links = isSpanContextValid(origin) ? [{ context: origin }] : [];
  interceptMethod(events, 'next', (next, thisArg, args) =>
    callInContext(context.active().setValue(SUBSCRIPTION, links), next, thisArg, args),
  );
}
