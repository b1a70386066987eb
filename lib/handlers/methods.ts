import type { Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';

/** Under this key `@GrpcMethod()` and its like mark a method as a handler of messages. */
export const PATTERN_METADATA = 'microservices:pattern';

/** The names of a class's methods, inherited ones included. */
export function methodNames({ prototype }: Type): string[] {
  return new MetadataScanner().getAllMethodNames(prototype as object);
}
