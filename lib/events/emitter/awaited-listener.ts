import { context, createContextKey } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import type { AnyMethod } from '../../core/wrap-method.js';

const AWAITED = createContextKey('nestjs-tracing awaited listener');

/**
 * A call of a listener of request scope, until its instance has been created. The emitter may emit other events in the meantime, so the
 * context keeps the event of the call.
 */
export class AwaitedListener {
  private isTaken = false;

  constructor(
    readonly event: unknown,
    private readonly type: unknown,
    private readonly key: string,
  ) {}

  /** Returns the call that is now made of a listener, and forgets it: the listener may emit further events in this context. */
  static take(type: unknown, key: string): AwaitedListener | undefined {
    const awaited = context.active().getValue(AWAITED) as AwaitedListener | undefined;
    if (!awaited || awaited.isTaken || awaited.type !== type || awaited.key !== key) return undefined;
    awaited.isTaken = true;
    return awaited;
  }

  /** Calls a function that creates the instance and then calls the listener. */
  run(fn: AnyMethod, thisArg: unknown, args: readonly unknown[]): unknown {
    return callInContext(context.active().setValue(AWAITED, this), fn, thisArg, args);
  }
}
