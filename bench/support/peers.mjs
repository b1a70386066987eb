import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bench } from './stage.mjs';

const folder = join(bench, 'peers');

/** The set-ups of every peer that has a folder: what its `peer.mjs` exports. */
export async function peerSetups() {
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'peer.mjs')));
  const modules = await Promise.all(names.map((name) => import(pathToFileURL(join(folder, name, 'peer.mjs')).href)));
  return modules.flatMap(({ setups }, at) =>
    setups.map((setup) => ({ peer: true, folder: `peers/${names[at]}`, ...setup })),
  );
}
