/** Serves an embedded PostgreSQL, so that the shop needs no installed one. It is for one connection at a time. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const port = Number(process.env.PORT ?? 5432);

const db = await openDatabase();
await new PGLiteSocketServer({ db, host: '127.0.0.1', port, maxConnections: 5 }).start();
console.log(`database listens on postgres://postgres@127.0.0.1:${port}/postgres`);

/** Opens an empty database in memory. To create one takes seconds, so a copy of the first one is kept for the next starts. */
async function openDatabase(): Promise<PGlite> {
  const manifest = await readFile(new URL('../package.json', import.meta.resolve('@electric-sql/pglite')), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nestjs-tracing');
  const copy = join(cache, `pglite-${version}.tar.gz`);
  try {
    return await PGlite.create({ loadDataDir: new File([await readFile(copy)], copy) });
  } catch {
    const created = await PGlite.create();
    await keep(copy, await created.dumpDataDir('gzip')).catch(() => {});
    return created;
  }
}

/** Writes a file at once, since another shop may start at the same time. */
async function keep(file: string, content: Blob): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, content.stream());
  await rename(unfinished, file);
}
