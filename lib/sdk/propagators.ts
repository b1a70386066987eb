import type { TextMapPropagator } from '@opentelemetry/api';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { loadFromSdk, loadOptional } from './packages.js';

type Propagators = ResolvedOptions['propagators'];
type PropagatorName = Extract<Propagators[number], string>;

interface CorePackage {
  CompositePropagator: new (config: { propagators: TextMapPropagator[] }) => TextMapPropagator;
  W3CTraceContextPropagator: new () => TextMapPropagator;
  W3CBaggagePropagator: new () => TextMapPropagator;
}

interface B3Package {
  B3Propagator: new (config: { injectEncoding: number }) => TextMapPropagator;
  B3InjectEncoding: { SINGLE_HEADER: number; MULTI_HEADER: number };
}

interface JaegerPackage {
  JaegerPropagator: new () => TextMapPropagator;
}

/** One propagator out of several: all are written, all are read in their order. */
export function createPropagator(propagators: Propagators): TextMapPropagator {
  if (propagators.length === 0) return noPropagator;
  const core = loadFromSdk<CorePackage>('@opentelemetry/core');
  return new core.CompositePropagator({
    propagators: propagators.map((propagator) =>
      typeof propagator === 'string' ? byName(propagator, core) : propagator,
    ),
  });
}

const noPropagator: TextMapPropagator = {
  inject() {},
  extract: (context) => context,
  fields: () => [],
};

function byName(name: PropagatorName, core: CorePackage): TextMapPropagator {
  switch (name) {
    case 'tracecontext':
      return new core.W3CTraceContextPropagator();
    case 'baggage':
      return new core.W3CBaggagePropagator();
    case 'jaeger':
      return new (jaegerPackage().JaegerPropagator)();
    case 'b3':
    case 'b3multi': {
      const b3 = loadFromSdk<B3Package>('@opentelemetry/propagator-b3');
      const { SINGLE_HEADER, MULTI_HEADER } = b3.B3InjectEncoding;
      return new b3.B3Propagator({ injectEncoding: name === 'b3' ? SINGLE_HEADER : MULTI_HEADER });
    }
  }
}

/** OpenTelemetry 2 brings it along, 3 has left it behind. */
function jaegerPackage(): JaegerPackage {
  const name = '@opentelemetry/propagator-jaeger';
  try {
    return loadFromSdk<JaegerPackage>(name);
  } catch {
    return loadOptional<JaegerPackage>(name, 'propagators', 'jaeger');
  }
}
