import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Where the scripts keep what is dear to get and not the repository's. */
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nestjs-tracing');
