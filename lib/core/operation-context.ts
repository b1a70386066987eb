import { createContextKey, trace, type Context, type Span } from '@opentelemetry/api';

/** Under which the API keeps the span of a context: its keys are global by their text. */
const SPAN = createContextKey('OpenTelemetry Context Key SPAN');
const OPERATION = createContextKey('nestjs-tracing operation');
const ENTRY = createContextKey('nestjs-tracing entry');

/**
 * A context with places of its own for what every operation puts into it. The API's contexts copy all that they have for
 * each value that is added; here that is left to what others add.
 */
export class OperationContext implements Context {
  private constructor(
    private readonly others: Context,
    readonly span: Span | undefined,
    readonly operation: unknown,
    readonly entry: unknown,
  ) {}

  private static of(context: Context): OperationContext {
    if (context instanceof OperationContext) return context;
    return new OperationContext(context, trace.getSpan(context), context.getValue(OPERATION), context.getValue(ENTRY));
  }

  /** A context in which this operation is the active one, and its span the active span. */
  static ofOperation(parent: Context, span: Span, operation: unknown): Context {
    const { entry, others } = OperationContext.of(parent);
    return new OperationContext(others, span, operation, entry);
  }

  /** A context in which this entry is being served. */
  static ofEntry(parent: Context, entry: unknown): Context {
    const { operation, others, span } = OperationContext.of(parent);
    return new OperationContext(others, span, operation, entry);
  }

  static operationIn(context: Context): unknown {
    return context instanceof OperationContext ? context.operation : context.getValue(OPERATION);
  }

  static entryIn(context: Context): unknown {
    return context instanceof OperationContext ? context.entry : context.getValue(ENTRY);
  }

  getValue(key: symbol): unknown {
    if (key === SPAN) return this.span;
    if (key === OPERATION) return this.operation;
    if (key === ENTRY) return this.entry;
    return this.others.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    const { entry, operation, others, span } = this;
    if (key === SPAN) return new OperationContext(others, value as Span | undefined, operation, entry);
    if (key === OPERATION) return new OperationContext(others, span, value, entry);
    if (key === ENTRY) return new OperationContext(others, span, operation, value);
    return new OperationContext(others.setValue(key, value), span, operation, entry);
  }

  deleteValue(key: symbol): Context {
    if (key === SPAN || key === OPERATION || key === ENTRY) return this.setValue(key, undefined);
    return new OperationContext(this.others.deleteValue(key), this.span, this.operation, this.entry);
  }
}
