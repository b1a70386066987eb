import { mountedRoute, registeredRoute, routeOfFastify, type FrameworkRequest } from './framework-request.js';

const NOT_FOUND = 404;

/** Decides which route has taken a request, by what Nest and the framework report. */
export class RequestRoute {
  /**
   * The route that Nest tried last. With versions or hosts Nest tries several, of which the last is not certain to take the
   * request.
   */
  tried: string | undefined;
  /** True if it is known that no route has taken the request. */
  isUnrouted = false;

  /** @param isToldByFramework true if Nest does not report its routes, but the framework does */
  constructor(private readonly isToldByFramework: boolean) {}

  /** Reports that no route has taken the request. */
  notFound(): void {
    this.isUnrouted = true;
  }

  /** Returns the route of a request whose response is over. */
  of(framework: FrameworkRequest | undefined, statusCode: number): string | undefined {
    if (this.isUnrouted) return undefined;
    if (this.tried !== undefined) return this.tried;
    if (!framework) return undefined;
    if (this.isToldByFramework) return routeOfFastify(framework);
    // A handler that was registered past Nest may have passed the request on, and answers 404 if nothing else takes it.
    if (statusCode === NOT_FOUND) return undefined;
    return registeredRoute(framework) ?? mountedRoute(framework);
  }
}
