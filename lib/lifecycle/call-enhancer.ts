import type { Attributes } from '@opentelemetry/api';
import { callSafely } from '../core/diagnostics.js';
import { settle } from '../core/settle.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { ATTR_PARAMETER_NAME, ATTR_PARAMETER_TYPE } from './attributes.js';
import { StageWork } from './stage-work.js';
import type { Stage } from './stage.js';

/**
 * Calls the method of a guard, an interceptor, a pipe or a filter in a span of its own.
 *
 * The span of an interceptor contains what it calls by `next.handle()`, since Nest binds that to the context of this call: the next
 * interceptor, pipes and the handler. That is how Nest nests them, in time as well, so that the own time of the span is the time before
 * and after the handler.
 */
export function callEnhancer(stage: Stage, method: AnyMethod, thisArg: unknown, args: unknown[]): unknown {
  if (!stage.servedExchange()) return Reflect.apply(method, thisArg, args);
  return settle(() => startWork(stage, args), method, thisArg, args);
}

function startWork(stage: Stage, args: readonly unknown[]): StageWork {
  const operation = stage.start(
    stage.kind === 'pipe' ? callSafely('Describing a parameter', () => describeParameter(args[1])) : undefined,
  );
  // The exception has been recorded where it was thrown. The filter may throw it again.
  if (stage.kind === 'filter') operation.rememberException(args[0]);
  return new StageWork(stage, operation);
}

/** Returns attributes of the parameter that a pipe is called for. The names are those that the application's decorators are given. */
function describeParameter(metadata: unknown): Attributes {
  const { data, type } = (metadata ?? {}) as { data?: unknown; type?: unknown };
  return {
    ...(typeof type === 'string' && { [ATTR_PARAMETER_TYPE]: type }),
    ...(typeof data === 'string' && { [ATTR_PARAMETER_NAME]: data }),
  };
}
