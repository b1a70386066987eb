import type { TextMapPropagator } from '@opentelemetry/api';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { b3MultiPropagator, b3Propagator } from '../propagation/b3.js';
import { baggagePropagator } from '../propagation/baggage.js';
import { composePropagators } from '../propagation/compose.js';
import { guardPropagator } from '../propagation/guarded-propagator.js';
import { jaegerPropagator } from '../propagation/jaeger.js';
import { traceContextPropagator } from '../propagation/trace-context.js';
import { xrayPropagator } from '../propagation/xray.js';

type Propagators = ResolvedOptions['propagators'];

const BY_NAME: Readonly<Record<Extract<Propagators[number], string>, TextMapPropagator>> = {
  tracecontext: traceContextPropagator,
  baggage: baggagePropagator,
  b3: b3Propagator,
  b3multi: b3MultiPropagator,
  jaeger: jaegerPropagator,
  xray: xrayPropagator,
};

/**
 * Creates one propagator out of those of the options.
 *
 * @param shouldPropagate returns true for the keys of the baggage that is written. By default, all is written
 */
export function createPropagator(
  propagators: Propagators,
  shouldPropagate?: ResolvedOptions['baggage']['propagate'],
): TextMapPropagator {
  return composePropagators(
    propagators.map((propagator) =>
      typeof propagator === 'string' ? BY_NAME[propagator] : guardPropagator(propagator),
    ),
    shouldPropagate,
  );
}
