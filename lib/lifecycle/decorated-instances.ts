import 'reflect-metadata';
import { MetadataScanner } from '@nestjs/core';
import { isObject } from '../core/is-object.js';
import { ROUTE_ARGUMENTS_METADATA } from '../core/nest-metadata.js';
import type { EnhancerStage } from './stages.js';

/** An object that was given to a decorator, such as `@UsePipes(new ValidationPipe())`. */
export interface DecoratedInstance {
  readonly instance: object;
  readonly stage: EnhancerStage;
}

/** Returns the objects that the decorators of a class, of its methods and of their parameters were given. Nest keeps them nowhere else. */
export function decoratedInstances(type: object, stages: readonly EnhancerStage[]): readonly DecoratedInstance[] {
  const { prototype } = type as { prototype?: unknown };
  if (!isObject(prototype)) return [];
  const names = new MetadataScanner().getAllMethodNames(prototype);
  const methods = names.map((name) => Reflect.get(prototype, name) as unknown);
  const targets = [type, ...methods].filter(isObject);
  const found = stages.flatMap((stage) =>
    targets.flatMap((target) => instancesIn(Reflect.getMetadata(stage.metadata, target), stage)),
  );
  const pipe = stages.find(({ name }) => name === 'pipe');
  return pipe ? [...found, ...names.flatMap((name) => parameterPipes(type, name, pipe))] : found;
}

function parameterPipes(type: object, method: string, pipe: EnhancerStage): readonly DecoratedInstance[] {
  const parameters: unknown = Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, type, method);
  if (!isObject(parameters)) return [];
  return Object.values(parameters).flatMap((each: { pipes?: unknown } | undefined) => instancesIn(each?.pipes, pipe));
}

/** Returns the objects of a list that also has classes, which Nest instantiates. */
function instancesIn(list: unknown, stage: EnhancerStage): readonly DecoratedInstance[] {
  if (!Array.isArray(list)) return [];
  const objects = list.filter((each): each is object => typeof each === 'object' && each !== null);
  return objects.map((instance) => ({ instance, stage }));
}
