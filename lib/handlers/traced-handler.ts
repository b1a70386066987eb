import type { Type } from '@nestjs/common';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { currentSpanParameters } from '../core/current-span-parameters.js';
import type { IncomingOperation } from '../core/incoming-operation.js';
import { isNoSpan } from '../core/no-span.js';
import { Operation } from '../core/operation.js';
import { TracedWork } from '../core/work.js';

/** Nest only subscribes to the Observable that a handler returns. */
const OUTCOME = { followsSubjects: true };

/** A handler, with the name and the attributes of its spans. */
export class TracedHandler {
  /** The positions of the `@CurrentSpan()` parameters. */
  readonly spanParameters: readonly number[];
  private readonly name: string;
  private readonly attributes: Attributes;

  constructor(
    private readonly controller: Type,
    methodName: string,
  ) {
    this.name = `${controller.name}.${methodName}`;
    this.attributes = { [ATTR_CODE_FUNCTION_NAME]: this.name };
    this.spanParameters = currentSpanParameters(controller.prototype as object, methodName);
  }

  /**
   * Starts the work of one call of the handler.
   *
   * @param method the function of the handler, whose `@NoSpan()` is read at each call, since metadata may be set late
   */
  start(incoming: IncomingOperation, method: object): TracedWork {
    const { attributes, controller, name } = this;
    const isUntraced = isNoSpan(controller) || isNoSpan(method);
    if (isUntraced) incoming.discard();
    const operation = isUntraced ? Operation.suppressed() : Operation.start(name, { attributes, forFunction: name });
    incoming.enterHandler(operation);
    return new TracedWork(operation, OUTCOME);
  }
}
