import { createParamDecorator } from '@nestjs/common';
import { propagation } from '@opentelemetry/api';

const activeBaggage = createParamDecorator((key: string | undefined): string | Record<string, string> | undefined => {
  const baggage = propagation.getActiveBaggage();
  if (key !== undefined) return baggage?.getEntry(key)?.value;
  return Object.fromEntries(baggage?.getAllEntries().map(([name, entry]) => [name, entry.value]) ?? []);
});

/**
 * Hands a controller method what travels in the W3C baggage: the value of one entry (undefined where there is none),
 * or without a key all entries as an object.
 */
export function Baggage(key?: string): ParameterDecorator {
  return activeBaggage(key);
}
