import type { ApplicationConfig } from '@nestjs/core';
import { HandlerInterceptor } from './handler.interceptor.js';

/** Has every handler of the application traced. Call it before the application adds interceptors of its own. */
export function traceHandlers(applicationConfig: ApplicationConfig): void {
  const interceptor = new HandlerInterceptor();
  const interceptors = applicationConfig.getGlobalInterceptors();
  // In front, so that the other global interceptors run inside the handler's span.
  interceptors.unshift(interceptor);
  if (applicationConfig.getGlobalInterceptors()[0] !== interceptor) applicationConfig.addGlobalInterceptor(interceptor);
}
