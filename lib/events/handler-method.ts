import { context, type Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { isObject } from '../core/is-object.js';
import { MAX_NESTING, nesting, warnOfNesting } from '../core/nesting.js';
import { isNoSpan } from '../core/no-span.js';
import { Operation } from '../core/operation.js';
import { settle } from '../core/settle.js';
import { TracedWork } from '../core/work.js';
import { declaredName, type AnyMethod } from '../core/wrap-method.js';

/** The packages await the results of handlers, or pass them on as they are. */
const OUTCOME = { isOnlyAwaited: true };

/** The methods that were seen, by the class of their instances and their name. */
const methods = new WeakMap<object, Map<string, HandlerMethod>>();

/** A method that a package of Nest calls with an event, a command or a query. */
export class HandlerMethod {
  private readonly name: string;
  /** The name that `@Span()` gives to the method: that of the class which declares it. */
  private readonly declaredName: string;

  /** Returns a method of the instances of a class. */
  static of(type: object, key: string): HandlerMethod {
    const known = methods.get(type) ?? new Map<string, HandlerMethod>();
    methods.set(type, known);
    const method = known.get(key) ?? new HandlerMethod(type, key);
    known.set(key, method);
    return method;
  }

  private constructor(
    private readonly type: object,
    private readonly key: string,
  ) {
    this.name = `${(type as { name?: unknown }).name as string}.${key}`;
    this.declaredName = declaredName(type, key) ?? this.name;
  }

  /** True if a call gets a span. A call that is nested in too many others does not: each traced one takes room on the stack. */
  static get isTraced(): boolean {
    if (Operation.unrecordedSpanFor(context.active(), {})) return false;
    if (nesting.depth < MAX_NESTING) return true;
    warnOfNesting();
    return false;
  }

  /** Calls a function in a span of its own, below the active one: the method itself, or a function that calls it. */
  call(fn: AnyMethod, thisArg: unknown, args: readonly unknown[], attributes: () => Attributes): unknown {
    return settle(() => this.start(attributes), fn, thisArg, args);
  }

  private start(attributes: () => Attributes): TracedWork {
    const { declaredName: forFunction, name } = this;
    const operation = this.isUntraced()
      ? Operation.suppressed()
      : Operation.start(name, { attributes: { [ATTR_CODE_FUNCTION_NAME]: name, ...attributes() }, forFunction });
    return new TracedWork(operation, OUTCOME);
  }

  /** The metadata is read at each call, since it may be set late. */
  private isUntraced(): boolean {
    if (isNoSpan(this.type)) return true;
    const { prototype } = this.type as { prototype?: unknown };
    const method: unknown = isObject(prototype) ? Reflect.get(prototype, this.key) : undefined;
    return isObject(method) && isNoSpan(method);
  }
}

/** Returns the name of the class of an object, such as an event. */
export function classNameOf(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : undefined;
}
