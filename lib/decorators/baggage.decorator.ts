import { createParamDecorator } from '@nestjs/common';
import { propagation } from '@opentelemetry/api';

const activeBaggage = createParamDecorator((key: string | undefined): string | Record<string, string> | undefined => {
  const baggage = propagation.getActiveBaggage();
  if (key !== undefined) return baggage?.getEntry(key)?.value;
  return Object.fromEntries(baggage?.getAllEntries().map(([name, entry]) => [name, entry.value]) ?? []);
});

/**
 * Gives a parameter of a controller method the W3C baggage: the value of one entry, or undefined if it is missing; without a
 * key, an object of all entries.
 */
export function Baggage(key?: string): ParameterDecorator {
  return activeBaggage(key);
}
