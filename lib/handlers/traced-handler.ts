import type { Type } from '@nestjs/common';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { currentSpanParameters } from '../core/current-span-parameters.js';
import type { IncomingOperation } from '../core/incoming-operation.js';
import { isNoSpan } from '../core/no-span.js';
import { Operation } from '../core/operation.js';
import { attributeParameters, parameterAttributes, type AttributeParameter } from '../core/parameter-attributes.js';
import { isTraced } from '../core/traced-methods.js';
import { TracedWork } from '../core/work.js';

/** Nest only subscribes to the Observable that a handler returns. */
const OUTCOME = { followsSubjects: true };
/** A generator of a subscription returns the events of hours. */
const SUBSCRIPTION_OUTCOME = { followsSubjects: true, followsGenerators: false };

/** A handler, with the name and the attributes of its spans. */
export class TracedHandler {
  /** The positions of the `@CurrentSpan()` parameters. */
  readonly spanParameters: readonly number[];
  private readonly attributeParameters: readonly AttributeParameter[];
  private readonly name: string;
  private readonly attributes: Attributes;

  /** @param rootType the type of the field that the handler resolves, if it is one of GraphQL */
  constructor(
    private readonly controller: Type,
    methodName: string,
    private readonly rootType: string | undefined,
  ) {
    this.name = `${controller.name}.${methodName}`;
    this.attributes = { [ATTR_CODE_FUNCTION_NAME]: this.name };
    this.attributeParameters = attributeParameters(controller.prototype as object, methodName);
    this.spanParameters = currentSpanParameters(controller.prototype as object, methodName);
  }

  /** Returns true if a call of the handler has a span. One request of GraphQL may call several handlers. */
  reach(incoming: IncomingOperation): boolean {
    return this.rootType === undefined ? incoming.reachHandler() : incoming.callsResolvers && incoming.isRecording;
  }

  /**
   * Starts the work of one call of the handler.
   *
   * @param method the function of the handler, whose `@NoSpan()` is read at each call, since metadata may be set late
   * @param args the arguments of the call
   */
  start(incoming: IncomingOperation, method: object, args: readonly unknown[]): TracedWork {
    const { attributes, controller, name, rootType } = this;
    const isUntraced = isNoSpan(controller) || isNoSpan(method);
    if (isUntraced && rootType === undefined) incoming.discard();
    const operation = isUntraced ? Operation.suppressed() : Operation.start(name, { attributes, forFunction: name });
    incoming.enterHandler(operation);
    this.describe(operation, method, args);
    return new TracedWork(operation, rootType === 'Subscription' ? SUBSCRIPTION_OUTCOME : OUTCOME);
  }

  /** Records the arguments of the parameters with `@SpanAttribute()`, unless a decorator on the method does. */
  private describe(operation: Operation, method: object, args: readonly unknown[]): void {
    const { attributeParameters: parameters, name } = this;
    if (parameters.length === 0 || isTraced(method)) return;
    operation.describe(`@SpanAttribute() of ${name}`, () => parameterAttributes(name, parameters, args));
  }
}
