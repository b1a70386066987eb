import { libraryHealth } from './library-health.js';
import { serviceOverview } from './service-overview.js';

/** The dashboards by the names of their files. `scripts/dashboards.mjs` writes them into `grafana/dashboards`. */
export const dashboards: Readonly<Record<string, object>> = {
  'service-overview': serviceOverview,
  'library-health': libraryHealth,
};
