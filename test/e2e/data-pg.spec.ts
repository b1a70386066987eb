import { describePg } from '../support/postgres-suite.js';
import { startEmbeddedPostgres } from '../support/postgres-server.js';

describePg(startEmbeddedPostgres);
