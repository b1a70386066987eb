import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { isGateway } from './nest-metadata.js';
import type { Wrapper } from './watch-wrapper.js';

type NestModule = ModulesContainer extends Map<string, infer Module> ? Module : never;

/** A gateway of WebSocket clients in dependency injection. */
export interface Gateway {
  readonly metatype: Type;
  /** The instance that lives as long as the application. Of a gateway of request scope, Nest never calls this one. */
  readonly instance: object | undefined;
  /** False if the gateway is created for each message. */
  readonly isStatic: boolean;
  readonly wrapper: Wrapper;
  readonly module: NestModule;
}

/** Returns the gateways of an application. */
export function findGateways(modules: ModulesContainer): readonly Gateway[] {
  const found: Gateway[] = [];
  for (const module of modules.values()) {
    for (const wrapper of module.providers.values()) {
      const { instance, metatype } = wrapper;
      if (wrapper.isNotMetatype || !metatype || !isGateway(metatype)) continue;
      const isStatic = wrapper.isDependencyTreeStatic();
      found.push({ metatype: metatype as Type, instance: instance as object | undefined, isStatic, wrapper, module });
    }
  }
  return found;
}
