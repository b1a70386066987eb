import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** Compresses a message with gzip, outside of the event loop. */
export const compress = promisify(gzip);
