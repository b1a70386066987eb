import type { Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { className } from '../core/class-name.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { isObject } from '../core/is-object.js';
import { isNoSpan } from '../core/no-span.js';
import { Operation } from '../core/operation.js';
import { declaredName } from '../core/wrap-method.js';
import { ATTR_STAGE } from './attributes.js';

export type StageName = 'middleware' | 'guard' | 'interceptor' | 'pipe' | 'filter';

/** One middleware, guard, interceptor, pipe or filter of the application: the name and the attributes of its spans. */
export class Stage {
  /** The name that `@Span()` gives to the method: that of the class which declares it. */
  private readonly functionName: string | undefined;
  private readonly attributes: Attributes;

  private constructor(
    readonly kind: StageName,
    private readonly spanName: string,
    /** The objects with the metadata of `@NoSpan()`: the class and the method, or the function. */
    private readonly marked: readonly object[],
    functionName: string | undefined,
    declaredName = functionName,
  ) {
    this.functionName = declaredName;
    this.attributes = {
      [ATTR_STAGE]: kind,
      ...(functionName !== undefined && { [ATTR_CODE_FUNCTION_NAME]: functionName }),
    };
  }

  /** Returns the stage of an object with a method that Nest calls. */
  static ofInstance(kind: StageName, instance: object, method: string): Stage {
    const type: unknown = (instance as { constructor?: unknown }).constructor;
    const name = typeof type === 'function' && type !== Object ? className(type) : '';
    if (name === '') return new Stage(kind, kind, [], undefined);
    const marked = [type, Reflect.get(instance, method)].filter(isObject);
    return new Stage(kind, name, marked, `${name}.${method}`, declaredName(type as object, method));
  }

  /** Returns the stage of a function that is a middleware. */
  static ofFunction(middleware: object): Stage {
    const { name } = middleware as { name?: unknown };
    const isNamed = typeof name === 'string' && name !== '';
    return new Stage('middleware', isNamed ? name : 'middleware', [middleware], isNamed ? name : undefined);
  }

  /** Returns the exchange that is served, if a call of the stage gets a span. */
  servedExchange(): IncomingOperation | undefined {
    const incoming = IncomingOperation.active();
    return incoming?.isRecording === true && !this.marked.some(isNoSpan) ? incoming : undefined;
  }

  /** Starts the span of one call, below the active span. */
  start(attributes?: Attributes): Operation {
    return Operation.start(this.spanName, {
      attributes: attributes ? { ...this.attributes, ...attributes } : this.attributes,
      ...(this.functionName !== undefined && { forFunction: this.functionName }),
    });
  }
}
