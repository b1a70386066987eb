import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { spawnSync } from 'node:child_process';
import { cache } from './cache.mjs';
import { runsSuccessfully } from './run.mjs';

/** The version v1.76.0 of this module is Jaeger 2.13: the tags of Jaeger 2 are not valid for Go modules. */
const MODULE = 'github.com/jaegertracing/jaeger';
const VERSION = 'v1.76.0';
const IMAGE = 'jaegertracing/jaeger:2.13.0';

const folder = join(cache, 'jaeger');

/**
 * Returns the first way to run Jaeger that is possible: the binary that `JAEGER_BINARY` names, the binary in the cache, a
 * container, or a build from source.
 *
 * @throws Error that tells what is missing
 */
export function findJaeger() {
  const named = process.env.JAEGER_BINARY;
  if (named) {
    if (!existsSync(named)) throw new Error(`JAEGER_BINARY is ${named}, but there is no such file.`);
    return { kind: 'binary', path: named };
  }
  const cached = join(folder, `jaeger-${VERSION}`);
  if (existsSync(cached)) return { kind: 'binary', path: cached };
  if (runsSuccessfully('docker', ['info'])) return { kind: 'container', image: IMAGE };
  if (runsSuccessfully('go', ['version'])) return { kind: 'binary', path: build(cached) };
  throw new Error(
    `Jaeger is missing. Download it from https://www.jaegertracing.io/download and set JAEGER_BINARY to the path of the program "jaeger"; or install Docker; or install Go 1.25 or later, with which it is built from source once, in about ten minutes.`,
  );
}

/** Builds Jaeger as a requirement of a temporary module, with Jaeger's own checksums. */
function build(target) {
  console.log(
    `Building Jaeger ${VERSION} from source into ${folder}. This takes about ten minutes, and is done only once.`,
  );
  mkdirSync(folder, { recursive: true });
  const cwd = mkdtempSync(join(folder, 'build-'));
  try {
    go(['mod', 'init', 'jaegertool'], cwd);
    go(['mod', 'edit', '-require', `${MODULE}@${VERSION}`], cwd);
    go(['mod', 'download', MODULE], cwd);
    const modules = go(['env', 'GOMODCACHE'], cwd).trim();
    copyFileSync(join(modules, `${MODULE}@${VERSION}`, 'go.sum'), join(cwd, 'go.sum'));
    go(['build', '-mod=mod', '-trimpath', '-ldflags', '-s -w', '-o', 'jaeger', `${MODULE}/cmd/jaeger`], cwd);
    renameSync(join(cwd, 'jaeger'), target);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
  return target;
}

function go(args, cwd) {
  const env = { ...process.env, CGO_ENABLED: '0' };
  const { status, stdout, stderr } = spawnSync('go', args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`go ${args[0]} ${args[1]} failed:\n${stderr}`);
  return stdout;
}
