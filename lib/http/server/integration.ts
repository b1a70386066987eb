import type { Integration } from '../../core/integration.js';
import type { ResolvedHttp } from '../../options/http.js';
import { serverRequestMetrics } from './metrics.js';
import { traceHttpServer } from './trace-http-server.js';

/** Instruments the HTTP server of an application: a span for each request. */
export const httpServerIntegration: Integration<{ readonly http: ResolvedHttp }> = {
  name: 'http/server',
  start({ http }, { adapterHost, hasForeignProvider, meter, areAttributesReadAtStart }) {
    let undo = () => {};
    return {
      beforeRoutes() {
        undo = traceHttpServer(adapterHost, {
          ...http,
          areAttributesReadAtStart,
          hasForeignProvider,
          meter: meter(serverRequestMetrics),
        });
      },
      acquire: () => undo(),
    };
  },
};
