import 'reflect-metadata';
import { currentSpanParameters } from '../core/current-span-parameters.js';

type Key = string | symbol;

// Texts, not symbols of this module: two copies of the library in one process must understand each other.
const SPAN_ATTRIBUTES = 'nestjs-tracing:span-attributes';
const TRACED = 'nestjs-tracing:traced';

/** A parameter whose value becomes an attribute. */
export interface AttributeParameter {
  readonly index: number;
  readonly name: string;
  readonly pick: ((value: never) => unknown) | undefined;
}

/** What the parameter decorators have said of a method's parameters. */
export interface TracedParameters {
  readonly attributes: readonly AttributeParameter[];
  /** Positions of `@CurrentSpan()`. */
  readonly spans: readonly number[];
}

export function addAttributeParameter(target: object, key: Key, parameter: AttributeParameter): void {
  const known = ownMetadata<AttributeParameter[]>(SPAN_ATTRIBUTES, target, key) ?? [];
  Reflect.defineMetadata(SPAN_ATTRIBUTES, [parameter, ...known], target, key);
}

export function tracedParameters(target: object, key: Key): TracedParameters {
  return {
    attributes: ownMetadata<AttributeParameter[]>(SPAN_ATTRIBUTES, target, key) ?? [],
    spans: currentSpanParameters(target, key),
  };
}

/** Marks a method (its function) that makes a span of each call. */
export function markTraced(method: object): void {
  Reflect.defineMetadata(TRACED, true, method);
}

/** Whether a method makes a span of each call. */
export function isTraced(method: object): boolean {
  return Reflect.hasOwnMetadata(TRACED, method);
}

function ownMetadata<T>(metadataKey: string, target: object, key: Key): T | undefined {
  return Reflect.getOwnMetadata(metadataKey, target, key) as T | undefined;
}
