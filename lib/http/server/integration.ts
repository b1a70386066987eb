import type { Integration } from '../../core/integration.js';
import type { ResolvedHttp } from '../../options/http.js';
import { serverRequestMetrics } from './metrics.js';
import { HttpServerTracing } from './trace-http-server.js';

/** Instruments the HTTP server of an application: a span for each request. */
export const httpServerIntegration: Integration<{ readonly http: ResolvedHttp | undefined }> = {
  name: 'http/server',
  start({ http }, { adapterHost, hasForeignProvider, meter, areAttributesReadAtStart }) {
    if (!http) return undefined;
    let undo = () => {};
    let tracing: HttpServerTracing | undefined;
    const addListeners = (): HttpServerTracing => {
      const rest = { areAttributesReadAtStart, hasForeignProvider, meter: meter(serverRequestMetrics) };
      tracing ??= new HttpServerTracing(adapterHost, { ...http, ...rest });
      tracing.addListeners();
      return tracing;
    };
    return {
      beforeGateways: () => void addListeners(),
      beforeRoutes() {
        undo = addListeners().setHooks();
      },
      acquire: () => undo(),
    };
  },
};
