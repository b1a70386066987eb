import { types } from 'node:util';
import { callSafely, warn } from '../core/diagnostics.js';
import type { Attributes } from '@opentelemetry/api';
import type { SpanProcessor } from '../options/sdk-types.js';
import type { SpanAttributesOption } from '../options/span-attributes.js';

type StartingSpan = Parameters<SpanProcessor['onStart']>[0];

/** Returns a processor that gives each recorded span these attributes when it starts, unless it has them already. */
export function addCommonAttributes(given: SpanAttributesOption): SpanProcessor {
  const attributesNow = typeof given === 'function' ? callGuarded(given) : () => given;
  return {
    onStart(span: StartingSpan) {
      const attributes = attributesNow();
      if (!attributes) return;
      for (const key of Object.keys(attributes)) {
        const value = attributes[key];
        if (value !== undefined && span.attributes[key] === undefined) span.setAttribute(key, value);
      }
    },
    onEnd() {},
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/** Returns a function that calls one of the application, which may throw, be async, or start spans itself. */
function callGuarded(application: () => Attributes | undefined): () => Attributes | undefined {
  let isCalling = false;
  return () => {
    // A span that the function starts would call it again.
    if (isCalling) return undefined;
    isCalling = true;
    const result: unknown = callSafely('spanAttributes', application);
    isCalling = false;
    if (types.isPromise(result)) {
      warn('async:spanAttributes', 'spanAttributes is async and was ignored: it has to return the attributes at once.');
      return undefined;
    }
    return typeof result === 'object' && result !== null ? (result as Attributes) : undefined;
  };
}
