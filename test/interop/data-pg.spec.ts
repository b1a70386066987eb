import { describePg } from '../support/postgres-suite.js';
import { startPostgres } from './support/databases.js';

describePg(startPostgres);
