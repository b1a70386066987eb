import type { Type } from '@nestjs/common';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { currentSpanParameters } from '../core/current-span-parameters.js';
import type { IncomingOperation } from '../core/incoming-operation.js';
import { isNoSpan } from '../core/no-span.js';
import { Operation } from '../core/operation.js';
import { TracedWork } from '../core/work.js';

/** A handler of requests or calls, as its spans show it. */
export class TracedHandler {
  /** The positions of the parameters that are to be its span. */
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
   * Starts the work of serving an entry.
   *
   * @param method the handler itself; `@NoSpan()` may be put on it late
   */
  start(incoming: IncomingOperation, method: object): TracedWork {
    const { attributes, controller, name } = this;
    const silent = isNoSpan(controller) || isNoSpan(method);
    if (silent) incoming.discard();
    const operation = silent ? Operation.suppressed() : Operation.start(name, { attributes, forFunction: name });
    incoming.enterHandler(operation);
    // Nest subscribes to what a handler returns, and calls nothing else of it.
    return new TracedWork(operation, { followsSubjects: true });
  }
}
