import type { Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';

/** The names of a class's methods, inherited ones included. */
export function methodNames({ prototype }: Type): string[] {
  return new MetadataScanner().getAllMethodNames(prototype as object);
}
