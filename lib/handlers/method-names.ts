import type { Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';

/** Returns the names of the methods of a class, inherited ones included. */
export function methodNames({ prototype }: Type): string[] {
  return new MetadataScanner().getAllMethodNames(prototype as object);
}
