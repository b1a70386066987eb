import { Scope, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { ContextIdFactory, type ModuleRef } from '@nestjs/core';
import { from, isObservable, lastValueFrom } from 'rxjs';
import { MetricsEndpoint } from './metrics-endpoint.js';

/** Under this key `@UseGuards()` keeps its guards. */
export const GUARDS_METADATA = '__guards__';

/** Under this key `@Injectable()` keeps the scope of a class. */
const SCOPE_METADATA = 'scope:options';

/** A guard as `metrics.guards` and `@UseGuards()` take it. */
export type GuardOption = CanActivate | Type<CanActivate>;

/**
 * The guards of the metrics' route: those of the option, and those that the application has put on `MetricsEndpoint` by
 * `@UseGuards()`. Nest would make classes out of the latter for a controller that it has read from a module.
 */
export function routeGuards(given: readonly GuardOption[], moduleRef: ModuleRef): Promise<CanActivate[]> {
  const ofClass = decorated(MetricsEndpoint).filter((guard) => typeof guard === 'function');
  const ofMethod = decorated(MetricsEndpoint.prototype.serve);
  return Promise.all([...ofClass, ...ofMethod, ...given].map((guard) => resolveGuard(guard, moduleRef)));
}

function decorated(target: object): readonly GuardOption[] {
  return (Reflect.getMetadata(GUARDS_METADATA, target) as readonly GuardOption[] | undefined) ?? [];
}

async function resolveGuard(guard: GuardOption, moduleRef: ModuleRef): Promise<CanActivate> {
  if (typeof guard !== 'function') return guard;
  const scope = providedScope(guard, moduleRef);
  if (scope === Scope.DEFAULT) return moduleRef.get(guard, { strict: false });
  if (scope === undefined && ownScope(guard) === Scope.DEFAULT) return moduleRef.create(guard);
  return new ScopedGuard(guard, scope !== undefined, moduleRef);
}

/** The scope of a guard that dependency injection has, which depends on that of its dependencies. */
function providedScope(guard: Type<CanActivate>, moduleRef: ModuleRef): Scope | undefined {
  try {
    return moduleRef.introspect(guard).scope;
  } catch {
    return undefined;
  }
}

function ownScope(guard: Type<CanActivate>): Scope {
  const options = Reflect.getMetadata(SCOPE_METADATA, guard) as { readonly scope?: Scope } | undefined;
  return options?.scope ?? Scope.DEFAULT;
}

/** A guard of request scope: made anew for each request. */
class ScopedGuard implements CanActivate {
  constructor(
    private readonly guard: Type<CanActivate>,
    private readonly provided: boolean,
    private readonly moduleRef: ModuleRef,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { moduleRef } = this;
    const request: object = context.switchToHttp().getRequest();
    const contextId = ContextIdFactory.getByRequest(request);
    moduleRef.registerRequestByContextId(request, contextId);
    const guard = await (this.provided
      ? moduleRef.resolve(this.guard, contextId, { strict: false })
      : moduleRef.create(this.guard, contextId));
    const answer = guard.canActivate(context);
    return isObservable(answer) ? lastValueFrom(from(answer)) : answer;
  }
}
