import { mountedRoute, registeredRoute, routeOfFastify, type FrameworkRequest } from './framework-request.js';

const NOT_FOUND = 404;

/** Decides which route has handled a request, from the reports of Nest and of the framework. */
export class RequestRoute {
  /**
   * The route that Nest has tried last. With versions or hosts Nest tries several, and even the last one may not handle the request.
   */
  lastTried: string | undefined;
  /** True if no route has handled the request. */
  isUnrouted = false;

  /** @param isReportedByFramework true if Nest does not report its routes, but the framework does */
  constructor(private readonly isReportedByFramework: boolean) {}

  /** Reports that no route has handled the request. */
  markUnrouted(): void {
    this.isUnrouted = true;
  }

  /** Returns the route of a request whose response is over. */
  resolve(framework: FrameworkRequest | undefined, statusCode: number): string | undefined {
    if (this.isUnrouted) return undefined;
    if (this.lastTried !== undefined) return this.lastTried;
    if (!framework) return undefined;
    if (this.isReportedByFramework) return routeOfFastify(framework);
    // A handler that was registered with the framework directly may have called next(), and the framework responds 404 if nothing follows.
    if (statusCode === NOT_FOUND) return undefined;
    return registeredRoute(framework) ?? mountedRoute(framework);
  }
}
