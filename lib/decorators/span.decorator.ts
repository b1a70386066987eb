import { types } from 'node:util';
import { context, isSpanContextValid, type Attributes, type Link, type SpanKind } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import type { Observable } from 'rxjs';
import { currentSpanParameters, withCurrentSpan } from '../core/current-span-parameters.js';
import { callSafely, warn } from '../core/diagnostics.js';
import { isNoSpan } from '../core/no-span.js';
import { callNested, callUnwrapped, MAX_NESTING, nesting } from '../core/nesting.js';
import { Operation } from '../core/operation.js';
import { settle } from '../core/settle.js';
import { TracedWork } from '../core/work.js';
import { attributeParameters, parameterAttributes, type AttributeParameter } from '../core/parameter-attributes.js';
import { isTraced, markTraced } from '../core/traced-methods.js';
import { refuseMissingParentheses, refuseStandardDecorator } from '../core/decorator-calls.js';
import { copyMethodIdentity, decoratedMethod, qualifiedName, type AnyMethod } from '../core/wrap-method.js';

/**
 * Options of the span that `@Span()` makes.
 *
 * @typeParam Args the parameters of the method that `attributes` and `links` use
 * @typeParam Result the result of the method that `onResult` gets
 */
export interface SpanOptions<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** The span's name. It should have few different values. @default `Class.method` */
  name?: string | undefined;
  /** @default SpanKind.INTERNAL */
  kind?: SpanKind | undefined;
  /** Attributes, or a function of the method's arguments that returns them. Called only if the span records. */
  attributes?: Attributes | ((...args: Args) => Attributes | undefined) | undefined;
  /**
   * Returns attributes for the result: the value that the method returned or its promise resolved to, the last value of an
   * Observable, or the return value of a generator. Called only if the span records and there is a result.
   */
  onResult?: ((result: Result) => Attributes | undefined) | undefined;
  /** Links to other spans, or a function of the method's arguments that returns them. Called before the span starts. */
  links?: Link[] | ((...args: Args) => Link[] | undefined) | undefined;
  /** True if the span starts a new trace. @default false */
  root?: boolean | undefined;
  /**
   * False if the contents of the call are confidential. No attributes are taken from arguments or result, links have no
   * attributes, and of an exception only the type is recorded.
   * @default true
   */
  record?: boolean | undefined;
}

/** The result of a promise, an Observable or a generator; for any other value, the value itself. */
export type Settled<T> = 0 extends 1 & T // `any` stays `any`
  ? T
  : T extends PromiseLike<infer U>
    ? Settled<U>
    : T extends Observable<infer U>
      ? U
      : T extends Generator<unknown, infer U, never> | AsyncGenerator<unknown, infer U, never>
        ? U
        : T;

/** Makes the compiler report at the decorator, and not inside it, that its functions do not fit the method. */
export type FittingMethod<Method, Args extends readonly unknown[], Result> = Method extends (
  ...args: infer Parameters
) => infer Returned
  ? ((...args: Args) => unknown) extends (...args: Parameters) => unknown
    ? [Settled<Returned>] extends [Result]
      ? unknown
      : { 'onResult does not accept what this method returns': never }
    : { 'the function does not accept the parameters of this method': never }
  : never;

/** A decorator for methods that take at least `Args` and return `Result`. */
export type SpanDecorator<Args extends readonly unknown[], Result> = <Method extends (...args: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> & FittingMethod<Method, Args, Result>,
) => void;

/**
 * Traces each call of a method in a span. The span is a child of the active span, and is active inside the method.
 *
 * The span ends with the work of the call: when a promise settles, a generator is done, or a subscription of an Observable
 * ends. Each further subscription is a span of its own. If a promise resolves to an Observable or a generator, the span ends
 * with that. If the method returns a Subject, a stream or a cursor, the span ends with the call.
 *
 * Some objects start their work only when they are awaited, such as query builders and subclasses of Promise. The decorator
 * does not start them. They run in the span when the caller awaits them; if the caller never does, there is no span.
 *
 * The method returns and throws the same as without the decorator, and keeps its name and the metadata of other decorators.
 * Only a native promise is replaced: the new one settles in the same way, after the span has ended.
 *
 * @example
 * ```ts
 * @Span()
 * @Span('charge card')
 * @Span((id: string) => ({ 'order.id': id }))
 * @Span({ kind: SpanKind.CLIENT, onResult: (order: Order) => ({ 'order.total': order.total }) })
 * ```
 * @throws TypeError if it decorates a class, an accessor or a property
 */
export function Span(name?: string): SpanDecorator<readonly unknown[], unknown>;
export function Span<Args extends readonly unknown[] = readonly unknown[], Result = unknown>(
  options: SpanOptions<Args, Result> | ((...args: Args) => Attributes | undefined),
): SpanDecorator<Args, Result>;
export function Span<Args extends readonly unknown[] = readonly unknown[], Result = unknown>(
  name: string,
  options: Omit<SpanOptions<Args, Result>, 'name'> | ((...args: Args) => Attributes | undefined),
): SpanDecorator<Args, Result>;
export function Span(
  nameOrOptions?: string | SpanOptions | ((...args: unknown[]) => Attributes | undefined),
  moreOptions?: SpanOptions | ((...args: unknown[]) => Attributes | undefined),
): SpanDecorator<readonly unknown[], unknown> {
  refuseStandardDecorator('@Span()', moreOptions);
  refuseMissingParentheses('@Span()', ['string', 'symbol'].includes(typeof moreOptions));
  const options: SpanOptions = { ...toSpanOptions(nameOrOptions), ...toSpanOptions(moreOptions) };
  return (target, key, descriptor) => {
    const method = decoratedMethod('@Span()', target, key, descriptor, CLASS_FIX);
    (descriptor as PropertyDescriptor).value = traceMethod(target, key, method, options);
  };
}

const CLASS_FIX = 'use @Traceable() to trace all methods of the class';

function toSpanOptions(
  shorthand: string | SpanOptions | ((...args: unknown[]) => Attributes | undefined) | undefined,
): SpanOptions {
  if (typeof shorthand === 'string') return { name: shorthand };
  if (typeof shorthand === 'function') return { attributes: shorthand };
  return shorthand ?? {};
}

/** Returns the method with a span around each call. Returns the method itself if it is traced already or has `@NoSpan()`. */
export function traceMethod(target: object, key: string | symbol, method: AnyMethod, options: SpanOptions): AnyMethod {
  if (isTraced(method) || isNoSpan(method)) return method;
  const functionName = qualifiedName(target, key);
  const name = options.name ?? functionName;
  const attributes = attributeParameters(target, key);
  const spans = currentSpanParameters(target, key);
  const details = options.record !== false;
  const outcome = { onResult: details ? options.onResult : undefined, functionName, mayRecordDetails: details };
  const { kind, root } = options;
  const codeAttributes = { [ATTR_CODE_FUNCTION_NAME]: functionName };
  // A route handler already has a span with the same name as this one: they become one span.
  const mayJoin = name === functionName && kind === undefined && !root && !options.links;

  function tracedMethod(this: unknown, ...args: unknown[]): unknown {
    if (nesting.depth >= MAX_NESTING) return callUnwrapped(target, key, tracedMethod, method, this, args);
    const silence = Operation.unrecordedSpanFor(context.active(), options);
    if (silence) return callNested(method, this, withCurrentSpan(args, spans, silence));
    function startWork(): TracedWork {
      const operation =
        (mayJoin ? Operation.joinFor(functionName) : undefined) ??
        Operation.start(name, { kind, root, links: resolveLinks(functionName, options, args) });
      if (operation.isRecording) {
        callSafely('code attributes', () => operation.span.setAttributes(codeAttributes));
        describeCall(operation, functionName, options, attributes, args);
      }
      return new TracedWork(operation, outcome);
    }
    if (spans.length === 0) return settle(startWork, method, this, args);
    return settle(startWork, method, this, (work) => withCurrentSpan(args, spans, work?.operation.span));
  }

  copyMethodIdentity(tracedMethod, method);
  markTraced(tracedMethod);
  return tracedMethod;
}

function describeCall(
  operation: Operation,
  functionName: string,
  { attributes, record }: SpanOptions,
  parameters: readonly AttributeParameter[],
  args: unknown[],
): void {
  if (attributes && typeof attributes !== 'function') {
    operation.describe(`The attributes of ${functionName}`, () => attributes);
  }
  if (record === false) return;
  if (typeof attributes === 'function') {
    operation.describe(`The attributes function of ${functionName}`, () => attributes(...args));
  }
  if (parameters.length > 0) {
    operation.describe(`@SpanAttribute() of ${functionName}`, () =>
      parameterAttributes(functionName, parameters, args),
    );
  }
}

/** The links of one call. A link with an invalid span context is left out if it comes from a function. */
function resolveLinks(functionName: string, { links, record }: SpanOptions, args: unknown[]): Link[] | undefined {
  if (typeof links !== 'function') return links;
  const what = `The links function of ${functionName}`;
  const result = callSafely(what, () => links(...args));
  if (types.isPromise(result)) {
    warn(`async:${what}`, `${what} is async and was ignored: it has to return the links at once.`);
    return undefined;
  }
  return callSafely(what, () => {
    const valid = result?.filter((link) => isSpanContextValid(link.context));
    return record === false ? valid?.map((link) => ({ context: link.context })) : valid;
  });
}
