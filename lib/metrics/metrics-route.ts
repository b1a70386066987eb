import { HttpException, type CanActivate, type Type } from '@nestjs/common';
import { ExternalContextCreator, type AbstractHttpAdapter, type ModuleRef } from '@nestjs/core';
import { describeError, warn } from '../core/diagnostics.js';
import type { MetricsEndpoint } from './metrics-endpoint.js';

/** Under this key `@UseGuards()` keeps its guards. */
const GUARDS_METADATA = '__guards__';

export interface MetricsRoute {
  readonly path: string;
  readonly guards: readonly (CanActivate | Type<CanActivate>)[];
}

type Handler = (request: unknown, response: unknown) => Promise<unknown>;

/**
 * Has the application's own HTTP server answer at a path. Global guards and filters apply as to any route; prefix, versions,
 * interceptors and pipes do not.
 */
export async function addMetricsRoute(
  adapter: Pick<AbstractHttpAdapter, 'get' | 'reply'>,
  { guards, path }: MetricsRoute,
  endpoint: MetricsEndpoint,
  moduleRef: ModuleRef,
): Promise<void> {
  // A function of its own, so that one application's guards are not another's.
  const serve = (...args: unknown[]) => endpoint.serve(...(args as Parameters<MetricsEndpoint['serve']>));
  Reflect.defineMetadata(GUARDS_METADATA, await instancesOf(guards, moduleRef), serve);
  const handle = moduleRef
    .get(ExternalContextCreator, { strict: false })
    .create(
      endpoint,
      serve,
      'serve',
      undefined,
      undefined,
      undefined,
      undefined,
      { guards: true, filters: true, interceptors: false },
      'http',
    ) as Handler;
  adapter.get(path, (request: unknown, response: unknown) =>
    handle(request, response).catch((thrown: unknown) => refuse(adapter, response, thrown)),
  );
}

// What no filter of the application has answered.
function refuse(adapter: Pick<AbstractHttpAdapter, 'reply'>, response: unknown, thrown: unknown): void {
  if (thrown instanceof HttpException) {
    adapter.reply(response, thrown.getResponse(), thrown.getStatus());
    return;
  }
  warn('metrics-guard', `A guard of the metrics failed: ${describeError(thrown)}`);
  adapter.reply(response, { statusCode: 500, message: 'Internal server error' }, 500);
}

function instancesOf(guards: MetricsRoute['guards'], moduleRef: ModuleRef): Promise<CanActivate[]> {
  return Promise.all(guards.map(async (guard) => (typeof guard === 'function' ? instanceOf(guard, moduleRef) : guard)));
}

async function instanceOf(guard: Type<CanActivate>, moduleRef: ModuleRef): Promise<CanActivate> {
  try {
    return await moduleRef.get(guard, { strict: false });
  } catch {
    return moduleRef.create(guard);
  }
}
