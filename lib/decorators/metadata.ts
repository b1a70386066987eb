import 'reflect-metadata';
import { currentSpanParameters } from '../core/current-span-parameters.js';

type Key = string | symbol;

// The keys are texts and not symbols, so that two copies of the library in one process share them.
const SPAN_ATTRIBUTES = 'nestjs-tracing:span-attributes';
const TRACED = 'nestjs-tracing:traced';

/** A parameter whose value becomes an attribute. */
export interface AttributeParameter {
  readonly index: number;
  readonly name: string;
  readonly pick: ((value: never) => unknown) | undefined;
}

/** The declarations of the parameter decorators about the parameters of a method. */
export interface TracedParameters {
  readonly attributes: readonly AttributeParameter[];
  /** The positions of parameters with `@CurrentSpan()`. */
  readonly spans: readonly number[];
}

export function addAttributeParameter(target: object, key: Key, parameter: AttributeParameter): void {
  const existing = ownMetadata<AttributeParameter[]>(SPAN_ATTRIBUTES, target, key) ?? [];
  Reflect.defineMetadata(SPAN_ATTRIBUTES, [parameter, ...existing], target, key);
}

export function tracedParameters(target: object, key: Key): TracedParameters {
  return {
    attributes: ownMetadata<AttributeParameter[]>(SPAN_ATTRIBUTES, target, key) ?? [],
    spans: currentSpanParameters(target, key),
  };
}

/** Marks the function of a method as traced: each call already makes a span. */
export function markTraced(method: object): void {
  Reflect.defineMetadata(TRACED, true, method);
}

/** True if each call of a method already makes a span. */
export function isTraced(method: object): boolean {
  return Reflect.hasOwnMetadata(TRACED, method);
}

function ownMetadata<T>(metadataKey: string, target: object, key: Key): T | undefined {
  return Reflect.getOwnMetadata(metadataKey, target, key) as T | undefined;
}
