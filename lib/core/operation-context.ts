import { createContextKey, trace, type Context, type Span } from '@opentelemetry/api';

/** The key under which the API keeps the span of a context: the API's keys are global by their description. */
const SPAN = createContextKey('OpenTelemetry Context Key SPAN');
const OPERATION = createContextKey('nestjs-tracing operation');
const INCOMING = createContextKey('nestjs-tracing incoming operation');

/**
 * A context with fields for the three values that every operation sets. The API's contexts copy all of their values whenever a value is
 * set; here only values with other keys cost that copy.
 */
export class OperationContext implements Context {
  protected constructor(
    private readonly others: Context,
    readonly span: Span | undefined,
    protected operation: unknown,
    readonly incoming: unknown,
  ) {}

  /** Returns a context with the same values, as one of this class. */
  protected static of(context: Context): OperationContext {
    if (context instanceof OperationContext) return context;
    return new OperationContext(
      context,
      trace.getSpan(context),
      context.getValue(OPERATION),
      context.getValue(INCOMING),
    );
  }

  /** Returns the values of a context other than the three. */
  protected static othersIn(context: Context): Context {
    return context instanceof OperationContext ? context.others : context;
  }

  /** Returns a context in which this incoming operation is served. */
  static ofIncoming(parent: Context, incoming: unknown): Context {
    const { operation, others, span } = OperationContext.of(parent);
    return new OperationContext(others, span, operation, incoming);
  }

  /** Returns a context with the span and the operations of one context, and all other values of another. */
  static inPlaceOf(place: Context, values: Context): Context {
    const { incoming, operation, span } = OperationContext.of(place);
    return new OperationContext(OperationContext.othersIn(values), span, operation, incoming);
  }

  static operationIn(context: Context): unknown {
    return context instanceof OperationContext ? context.operation : context.getValue(OPERATION);
  }

  static incomingIn(context: Context): unknown {
    return context instanceof OperationContext ? context.incoming : context.getValue(INCOMING);
  }

  getValue(key: symbol): unknown {
    if (key === SPAN) return this.span;
    if (key === OPERATION) return this.operation;
    if (key === INCOMING) return this.incoming;
    return this.others.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    const { incoming, operation, others, span } = this;
    if (key === SPAN) return new OperationContext(others, value as Span | undefined, operation, incoming);
    if (key === OPERATION) return new OperationContext(others, span, value, incoming);
    if (key === INCOMING) return new OperationContext(others, span, operation, value);
    return new OperationContext(others.setValue(key, value), span, operation, incoming);
  }

  deleteValue(key: symbol): Context {
    if (key === SPAN || key === OPERATION || key === INCOMING) return this.setValue(key, undefined);
    return new OperationContext(this.others.deleteValue(key), this.span, this.operation, this.incoming);
  }
}
