import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A PostgreSQL that a test may use. */
export interface PostgresServer {
  readonly port: number;
  readonly user: string;
  readonly database: string;
  stop(): Promise<void>;
}

/** Starts an embedded PostgreSQL in a process of its own: it is WebAssembly, and would hold up the application of the test. */
export async function startEmbeddedPostgres(): Promise<PostgresServer> {
  const script = join(import.meta.dirname, 'pglite-server.mjs');
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    port: Number(line),
    user: 'postgres',
    database: 'postgres',
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
