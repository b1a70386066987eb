import type { LifecycleStage } from '../options/nest.js';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
} from '../core/nest-metadata.js';

/** A stage that consists of enhancers: objects with a method that Nest calls. */
export interface EnhancerStage {
  readonly option: LifecycleStage;
  /** The value of the attribute `nestjs.stage`. Nest's wrapper of such an object has it as `subtype`. */
  readonly name: 'guard' | 'interceptor' | 'pipe' | 'filter';
  /** The method that Nest calls. */
  readonly method: string;
  /** The key of the decorator's metadata on classes and methods. */
  readonly metadata: string;
  /** The method of `ApplicationConfig` that returns the global ones. */
  readonly globals: string;
  /** The method of `ApplicationConfig` that returns the wrappers of global ones of request scope. */
  readonly scopedGlobals: string;
}

/** The stages in Nest's order. */
export const ENHANCER_STAGES: readonly EnhancerStage[] = [
  {
    option: 'guards',
    name: 'guard',
    method: 'canActivate',
    metadata: GUARDS_METADATA,
    globals: 'getGlobalGuards',
    scopedGlobals: 'getGlobalRequestGuards',
  },
  {
    option: 'interceptors',
    name: 'interceptor',
    method: 'intercept',
    metadata: INTERCEPTORS_METADATA,
    globals: 'getGlobalInterceptors',
    scopedGlobals: 'getGlobalRequestInterceptors',
  },
  {
    option: 'pipes',
    name: 'pipe',
    method: 'transform',
    metadata: PIPES_METADATA,
    globals: 'getGlobalPipes',
    scopedGlobals: 'getGlobalRequestPipes',
  },
  {
    option: 'filters',
    name: 'filter',
    method: 'catch',
    metadata: EXCEPTION_FILTERS_METADATA,
    globals: 'getGlobalFilters',
    scopedGlobals: 'getGlobalRequestFilters',
  },
];
