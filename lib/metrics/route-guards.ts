import { Scope, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { ContextIdFactory, type ModuleRef } from '@nestjs/core';
import { from, isObservable, lastValueFrom } from 'rxjs';
import { GUARDS_METADATA } from '../core/nest-metadata.js';
import { MetricsEndpoint } from './metrics-endpoint.js';

/** The metadata key of the scope in `@Injectable()`. */
const SCOPE_METADATA = 'scope:options';

/** A guard as `metrics.guards` and `@UseGuards()` take it. */
export type GuardOption = CanActivate | Type<CanActivate>;

/**
 * Returns the guards of the route for metrics: the guards of the option, and those that the application has put on
 * `MetricsEndpoint` with `@UseGuards()`. Nest itself creates such guards only for the controllers of modules.
 */
export function routeGuards(optionGuards: readonly GuardOption[], moduleRef: ModuleRef): Promise<CanActivate[]> {
  const classGuards = declaredGuards(MetricsEndpoint).filter((guard) => typeof guard === 'function');
  const methodGuards = declaredGuards(MetricsEndpoint.prototype.serve);
  return Promise.all([...classGuards, ...methodGuards, ...optionGuards].map((guard) => resolveGuard(guard, moduleRef)));
}

function declaredGuards(target: object): readonly GuardOption[] {
  return (Reflect.getMetadata(GUARDS_METADATA, target) as readonly GuardOption[] | undefined) ?? [];
}

async function resolveGuard(guard: GuardOption, moduleRef: ModuleRef): Promise<CanActivate> {
  if (typeof guard !== 'function') return guard;
  const scope = providedScope(guard, moduleRef);
  if (scope === Scope.DEFAULT) return moduleRef.get(guard, { strict: false });
  if (scope === undefined && declaredScope(guard) === Scope.DEFAULT) return moduleRef.create(guard);
  return new ScopedGuard(guard, scope !== undefined, moduleRef);
}

/** The scope of a guard that is a provider, which also depends on its dependencies. Undefined if it is no provider. */
function providedScope(guard: Type<CanActivate>, moduleRef: ModuleRef): Scope | undefined {
  try {
    return moduleRef.introspect(guard).scope;
  } catch {
    return undefined;
  }
}

/** The scope that a guard has by `@Injectable()`. */
function declaredScope(guard: Type<CanActivate>): Scope {
  const options = Reflect.getMetadata(SCOPE_METADATA, guard) as { readonly scope?: Scope } | undefined;
  return options?.scope ?? Scope.DEFAULT;
}

/** A request-scoped guard, which is created for each request. */
class ScopedGuard implements CanActivate {
  constructor(
    private readonly guard: Type<CanActivate>,
    private readonly isProvider: boolean,
    private readonly moduleRef: ModuleRef,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { moduleRef } = this;
    const request: object = context.switchToHttp().getRequest();
    const contextId = ContextIdFactory.getByRequest(request);
    moduleRef.registerRequestByContextId(request, contextId);
    const guard = await (this.isProvider
      ? moduleRef.resolve(this.guard, contextId, { strict: false })
      : moduleRef.create(this.guard, contextId));
    const answer = guard.canActivate(context);
    return isObservable(answer) ? lastValueFrom(from(answer)) : answer;
  }
}
