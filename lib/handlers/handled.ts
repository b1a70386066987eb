import type { Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import type { Entry } from '../core/entry.js';
import { isNoSpan } from '../core/no-span.js';
import { Operation } from '../core/operation.js';
import { TracedWork } from '../core/work.js';

/** A handler of requests or calls, as its spans show it. */
export class Handled {
  private readonly attributes: Attributes;

  /**
   * @param name such as `OrdersController.place`
   * @param silent whether it is kept out of every trace
   */
  constructor(
    private readonly name: string,
    private readonly silent: boolean,
  ) {
    this.attributes = { [ATTR_CODE_FUNCTION_NAME]: name };
  }

  static of(controller: { readonly name: string }, methodName: string, handler: object): Handled {
    return new Handled(`${controller.name}.${methodName}`, isNoSpan(controller) || isNoSpan(handler));
  }

  /** It begins to serve an entry. */
  begin(entry: Entry): TracedWork {
    const { attributes, name, silent } = this;
    if (silent) entry.discard();
    const operation = silent ? Operation.suppressed() : Operation.start(name, { attributes, forFunction: name });
    entry.handledIn?.(operation);
    return new TracedWork(operation);
  }
}
