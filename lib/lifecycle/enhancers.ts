import 'reflect-metadata';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { callSafely } from '../core/diagnostics.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import type { LifecycleStage } from '../options/nest.js';
import { decoratedInstances } from './decorated-instances.js';
import { ENHANCER_STAGES, type EnhancerStage } from './stages.js';
import type { TracedInstances } from './traced-instances.js';
import { watchWrapper, type Wrapper } from '../core/watch-wrapper.js';

/** Finds the guards, interceptors, pipes and filters of an application, and traces them. */
export class Enhancers {
  private readonly stages: readonly EnhancerStage[];
  private readonly watched = new Map<object, () => void>();
  private readonly undos: ((() => void) | undefined)[];

  constructor(
    private readonly modules: ModulesContainer,
    config: ApplicationConfig,
    traced: ReadonlySet<LifecycleStage>,
    private readonly instances: TracedInstances,
  ) {
    this.stages = ENHANCER_STAGES.filter(({ option }) => traced.has(option));
    // Global ones may be added until Nest reads them, which it does for each handler.
    this.undos = this.stages.flatMap((stage) => [
      interceptList(config, stage.globals, (instance) => this.trace(instance, stage)),
      interceptList(config, stage.scopedGlobals, (wrapper) => this.watch(wrapper as Wrapper, stage)),
    ]);
  }

  /** Traces those that the application has now. Call it before Nest reads them. */
  scan(): void {
    for (const { controllers, injectables, providers } of this.modules.values()) {
      for (const wrapper of injectables.values() as Iterable<Wrapper>) {
        const stage = this.stages.find(({ name }) => name === wrapper.subtype);
        if (stage) callSafely('Looking for guards and pipes', () => this.watch(wrapper, stage));
      }
      for (const { metatype } of [...controllers.values(), ...providers.values()] as Wrapper[]) {
        if (typeof metatype === 'function') this.traceDecorated(metatype);
      }
    }
  }

  /** Leaves Nest's objects and the application's as they were. */
  release(): void {
    for (const undo of [...this.watched.values(), ...this.undos.splice(0)]) undo?.();
    this.watched.clear();
  }

  private traceDecorated(type: object): void {
    callSafely('Looking for guards and pipes', () => {
      for (const { instance, stage } of decoratedInstances(type, this.stages)) this.trace(instance, stage);
    });
  }

  private trace(instance: unknown, { method, name }: EnhancerStage, isOwned = true): void {
    this.instances.trace(instance, name, method, isOwned);
  }

  /** Traces the instance of the application, and those of requests when Nest reads them. */
  private watch(wrapper: Wrapper, stage: EnhancerStage): void {
    if (!isObject(wrapper) || this.watched.has(wrapper)) return;
    const undo = watchWrapper(wrapper, (instance) => this.trace(instance, stage, false));
    if (undo) this.watched.set(wrapper, undo);
    this.trace(wrapper.instance, stage);
  }
}

/** Calls a function with each item of the list that a method returns, before the caller gets the list. */
function interceptList(config: object, method: string, onItem: (item: unknown) => void): (() => void) | undefined {
  return interceptMethod(config, method, (read, thisArg, args) => {
    const list: unknown = Reflect.apply(read, thisArg, args);
    callSafely('Looking for global guards and pipes', () => {
      if (Array.isArray(list)) list.forEach(onItem);
    });
    return list;
  });
}
