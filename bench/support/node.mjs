import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { nodeBinary } from '../../scripts/support/node-binary.mjs';

/** Returns a Node of a major version: the present one, or one that npm installs. */
export function nodeOf(major) {
  const [current] = process.versions.node.split('.');
  const path = major === current ? process.execPath : nodeBinary(major);
  return { major, path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() };
}
