/** Serves an embedded PostgreSQL on a port of its own, which it writes to its standard output, until its standard input ends. */
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import process from 'node:process';

const db = await PGlite.create();
const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1', maxConnections: 10 });
await server.start();
process.stdout.write(`${server.getServerConn().split(':').at(-1)}\n`);
process.stdin.resume().once('end', () => process.exit());
