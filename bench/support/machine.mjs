import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import process from 'node:process';
import { root } from '../../scripts/support/run.mjs';
import { canPin, SERVER_CORE } from './process.mjs';

/** The load average above which the machine counts as busy. */
const QUIET_LOAD = 0.5;

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    pinned: canPin,
  };
}

/** The commit that the library was built from, with a note if the working tree has changes. */
export function commit(at) {
  try {
    const hash = git(['rev-parse', '--short', at ?? 'HEAD']);
    return at || git(['status', '--porcelain', '--', 'lib']) === '' ? hash : `${hash} with changes`;
  } catch {
    return 'unknown';
  }
}

function git(args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** Returns the load of the last minute, and warns if other processes are busy. */
export function checkQuiet() {
  const [load] = loadavg();
  if (load > QUIET_LOAD) {
    console.warn(
      `The machine is not quiet: its load was ${load.toFixed(2)} in the last minute. Ratios will spread, and may be wrong.`,
    );
  }
  return load;
}

/** The time that the core of the server was busy with any process, in microseconds. Undefined if the system does not report it. */
export function coreBusy() {
  if (!canPin || process.platform !== 'linux') return undefined;
  const line = readFileSync('/proc/stat', 'utf8').match(new RegExp(`^cpu${SERVER_CORE} (.*)$`, 'm'));
  if (!line) return undefined;
  const [user, nice, system, , , irq, softirq, steal] = line[1].split(' ').map(Number);
  // The kernel counts in hundredths of a second.
  return (user + nice + system + irq + softirq + steal) * 10_000;
}
