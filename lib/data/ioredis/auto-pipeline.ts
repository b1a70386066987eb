import { executionAsyncResource } from 'node:async_hooks';
import type { AnyMethod } from '../../core/wrap-method.js';
import { isCalledBy } from '../other-instrumentation.js';

/** The name of the function of ioredis that sends the commands of different callers as one pipeline. */
const SEND_PIPELINE = 'executeAutoPipeline';

/** The member of Node's object for a call of `setImmediate()` that has the function while the function runs. */
const RUNNING = '_onImmediate';

/** The functions of that name, one of each copy of ioredis that has sent a pipeline of its own. */
const senders = new Set<AnyMethod>();

/**
 * True while ioredis sends the commands of different callers, in the context of one of them.
 *
 * The first pipeline of a client is sent by `setImmediate()`, which shows the function. Later ones may also be sent when a reply has come, and
 * then only the stack shows it. An application that never does this pays for neither.
 */
export function isAutoPipelining(): boolean {
  const current = (executionAsyncResource() as { readonly [RUNNING]?: unknown })[RUNNING];
  if (typeof current === 'function' && current.name === SEND_PIPELINE) senders.add(current as AnyMethod);
  if (senders.size === 0) return false;
  for (const sender of senders) if (sender === current || isCalledBy(sender)) return true;
  return false;
}
