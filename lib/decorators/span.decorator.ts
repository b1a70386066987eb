import { types } from 'node:util';
import { context, isSpanContextValid, type Attributes, type Link, type SpanKind } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import type { Observable } from 'rxjs';
import { withCurrentSpan } from '../core/current-span-parameters.js';
import { guarded, warn } from '../core/diagnostics.js';
import { isNoSpan } from '../core/no-span.js';
import { callNested, callUnwrapped, MAX_NESTING, nesting } from '../core/nesting.js';
import { Operation } from '../core/operation.js';
import { settle } from '../core/settle.js';
import { TracedWork } from '../core/work.js';
import { isTraced, markTraced, tracedParameters, type TracedParameters } from './metadata.js';
import { parameterAttributes } from './parameter-attributes.js';
import { disguise, methodOf, qualifiedName, type AnyMethod } from '../core/wrap-method.js';

/**
 * How `@Span()` traces a method.
 *
 * @typeParam Args the parameters of the method, as far as `attributes` and `links` look at them
 * @typeParam Result what the method returns, as `onResult` sees it
 */
export interface SpanOptions<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** The span's name. Keep it of low cardinality. @default `Class.method` */
  name?: string;
  /** @default SpanKind.INTERNAL */
  kind?: SpanKind;
  /** Attributes, or a function of the method's arguments that returns them. Called only if the span records. */
  attributes?: Attributes | ((...args: Args) => Attributes | undefined);
  /**
   * Attributes of the result: of what was returned or resolved, of what an Observable emitted last, or of what a generator
   * returned at its end. Called only if the span records and there is a result.
   */
  onResult?: (result: Result) => Attributes | undefined;
  /** Links to other spans, or a function of the method's arguments that returns them. Called before the span starts. */
  links?: Link[] | ((...args: Args) => Link[] | undefined);
  /** Begins a trace of its own. @default false */
  root?: boolean;
  /**
   * False where nothing of the call may be seen: no attribute of arguments or result, links without attributes, and of an
   * exception only its type.
   * @default true
   */
  record?: boolean;
}

/** The value that a promise, an Observable or a generator brings, else the value itself. */
export type Settled<T> = 0 extends 1 & T // `any` stays what it is
  ? T
  : T extends PromiseLike<infer U>
    ? Settled<U>
    : T extends Observable<infer U>
      ? U
      : T extends Generator<unknown, infer U, never> | AsyncGenerator<unknown, infer U, never>
        ? U
        : T;

/** Says at the decorator, not inside it, that its functions do not fit the method. */
export type FittingMethod<Method, Args extends readonly unknown[], Result> = Method extends (
  ...args: infer Parameters
) => infer Returned
  ? ((...args: Args) => unknown) extends (...args: Parameters) => unknown
    ? [Settled<Returned>] extends [Result]
      ? unknown
      : { 'onResult does not accept what this method returns': never }
    : { 'the function does not accept the parameters of this method': never }
  : never;

/** A decorator for methods that take (at least) `Args` and return `Result`. */
export type SpanDecorator<Args extends readonly unknown[], Result> = <Method extends (...args: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> & FittingMethod<Method, Args, Result>,
) => void;

/**
 * Traces each call of a method in a span that is the child of the active one, and is active inside the method.
 *
 * The span ends when the work does: when a promise settles, a generator is done, or a subscription of an Observable ends;
 * each further subscription is a span of its own. An Observable or a generator that comes out of a promise is waited for
 * as well. A Subject, a stream or a cursor is not: its span ends with the call.
 *
 * A query builder, or another object that starts its work when it is awaited, is not started: it runs in the span when the
 * caller awaits it, and leaves no span if nobody does. The same goes for subclasses of Promise.
 *
 * What the method returns and throws, its name, and what other decorators have said of it stay as they are. Only a native
 * promise is replaced by one that settles in the same way, when the span has ended.
 *
 * @example
 * ```ts
 * @Span()
 * @Span('charge card')
 * @Span((id: string) => ({ 'order.id': id }))
 * @Span({ kind: SpanKind.CLIENT, onResult: (order: Order) => ({ 'order.total': order.total }) })
 * ```
 * @throws TypeError where it stands on an accessor or a property
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
  const options: SpanOptions = { ...asOptions(nameOrOptions), ...asOptions(moreOptions) };
  return (target, key, descriptor) => {
    const method = methodOf('@Span()', target, key, descriptor);
    (descriptor as PropertyDescriptor).value = traceMethod(target, key, method, options);
  };
}

function asOptions(
  given: string | SpanOptions | ((...args: unknown[]) => Attributes | undefined) | undefined,
): SpanOptions {
  if (typeof given === 'string') return { name: given };
  if (typeof given === 'function') return { attributes: given };
  return given ?? {};
}

/** The method with a span around each call; itself, if it has one already or is to have none. */
export function traceMethod(target: object, key: string | symbol, method: AnyMethod, options: SpanOptions): AnyMethod {
  if (isTraced(method) || isNoSpan(method)) return method;
  const functionName = qualifiedName(target, key);
  const name = options.name ?? functionName;
  const parameters = tracedParameters(target, key);
  const details = options.record !== false;
  const outcome = { onResult: details ? options.onResult : undefined, owner: functionName, details };
  const { kind, root } = options;
  // A route handler has a span already, of the very name that this one would get.
  const mayJoin = name === functionName && kind === undefined && !root && !options.links;

  function traced(this: unknown, ...args: unknown[]): unknown {
    if (nesting.depth >= MAX_NESTING) return callUnwrapped(target, key, traced, method, this, args);
    const silence = Operation.silenceIn(context.active(), options);
    if (silence) return callNested(method, this, withCurrentSpan(args, parameters.spans, silence));
    function start(): TracedWork {
      const operation =
        (mayJoin ? Operation.joinFor(functionName) : undefined) ??
        Operation.start(name, { kind, root, links: linksOf(functionName, options, args) });
      if (operation.recording) {
        operation.describe('code attributes', () => ({ [ATTR_CODE_FUNCTION_NAME]: functionName }));
        describeCall(operation, functionName, options, parameters, args);
      }
      return new TracedWork(operation, outcome);
    }
    if (parameters.spans.length === 0) return settle(start, method, this, args);
    return settle(start, method, this, (work) => withCurrentSpan(args, parameters.spans, work?.operation.span));
  }

  disguise(traced, method);
  markTraced(traced);
  return traced;
}

function describeCall(
  operation: Operation,
  functionName: string,
  { attributes, record }: SpanOptions,
  parameters: TracedParameters,
  args: unknown[],
): void {
  if (typeof attributes !== 'function') operation.describe(`The attributes of ${functionName}`, () => attributes);
  if (record === false) return;
  if (typeof attributes === 'function') {
    operation.describe(`The attributes function of ${functionName}`, () => attributes(...args));
  }
  if (parameters.attributes.length > 0) {
    operation.describe(`@SpanAttribute() of ${functionName}`, () =>
      parameterAttributes(functionName, parameters.attributes, args),
    );
  }
}

function linksOf(functionName: string, { links, record }: SpanOptions, args: unknown[]): Link[] | undefined {
  if (typeof links !== 'function') return links;
  const what = `The links function of ${functionName}`;
  const given = guarded(what, () => links(...args));
  if (types.isPromise(given)) {
    warn(`async:${what}`, `${what} is async and was ignored: it has to return the links at once.`);
    return undefined;
  }
  return guarded(what, () => {
    const valid = given?.filter((link) => isSpanContextValid(link.context));
    return record === false ? valid?.map((link) => ({ context: link.context })) : valid;
  });
}
