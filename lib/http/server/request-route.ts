import { mountedRoute, registeredRoute, routeOfFastify, type FrameworkRequest } from './framework-request.js';

const NOT_FOUND = 404;

/** Which route has taken a request, as far as Nest and the framework tell. */
export class RequestRoute {
  /** The route that Nest tried last. With versions or hosts it tries several, of which the last is not sure to take the request. */
  private tried: string | undefined;
  private isUnrouted = false;

  /** Nest is about to try a route. */
  try(route: string): void {
    this.tried = route;
  }

  /** No route has taken the request. */
  notFound(): void {
    this.isUnrouted = true;
  }

  /** The route that Nest has tried last, which has taken the request unless it turns out that none has. */
  get last(): string | undefined {
    return this.tried;
  }

  /** True where it is known that no route has taken the request. */
  get unrouted(): boolean {
    return this.isUnrouted;
  }

  /**
   * The route of a request whose response is over.
   *
   * @param isToldByFramework true where Nest does not tell its routes, but the framework does
   */
  of(framework: FrameworkRequest | undefined, statusCode: number, isToldByFramework: boolean): string | undefined {
    if (this.isUnrouted) return undefined;
    if (this.tried !== undefined) return this.tried;
    if (!framework) return undefined;
    if (isToldByFramework) return routeOfFastify(framework);
    // What was registered past Nest may have passed the request on, and say 404 when nothing else has taken it.
    if (statusCode === NOT_FOUND) return undefined;
    return registeredRoute(framework) ?? mountedRoute(framework);
  }
}
