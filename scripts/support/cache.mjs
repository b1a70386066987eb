import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** The folder for large downloads and builds, outside of the repository. */
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nestjs-tracing');
