import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bench } from './stage.mjs';

const folder = join(bench, 'peers');

/** Returns the set-ups of all peers, which the `peer.mjs` in each peer's folder exports. */
export async function peerSetups() {
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'peer.mjs')));
  const modules = await Promise.all(names.map((name) => import(pathToFileURL(join(folder, name, 'peer.mjs')).href)));
  return modules.flatMap(({ setups }, at) =>
    setups.map((setup) => ({ peer: true, folder: `peers/${names[at]}`, ...setup })),
  );
}
