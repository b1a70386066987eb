import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { transformFileSync } from '@swc/core';

const root = join(import.meta.dirname, '../..');

/** How a process has ended, and what it has said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** When it ended, as `performance.now()` has it. */
  readonly at: number;
}

/** An application in a process of its own. */
export interface RunningApp {
  /** Resolves when the process has written this line to its standard output; rejects when it ends without. */
  said(line: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export interface RunOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The applications of `test/e2e/apps`, to be run in processes of their own: without Jest's modules, and free to end.
 *
 * The library is transpiled for them from its sources, so nothing has to be built before the tests run. The folder lies
 * within the repository for Node to find its packages from there.
 */
export class Apps {
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();

  constructor() {
    const cache = join(root, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    this.#folder = mkdtempSync(join(cache, 'nestjs-tracing-apps-'));
    const library = join(this.#folder, 'node_modules/nestjs-tracing');
    transpile(join(root, 'lib'), library);
    transpile(join(root, 'test/e2e/apps'), this.#folder);
    writeFileSync(join(library, 'package.json'), JSON.stringify({ type: 'module', exports: './index.js' }));
    const manifest = { name: 'fixture-app', version: '1.2.3', type: 'module' };
    writeFileSync(join(this.#folder, 'package.json'), JSON.stringify(manifest));
  }

  /** Starts an application without any variable of this process that could configure it. */
  start(name: string, { args = [], env = {} }: RunOptions = {}): RunningApp {
    const child = spawn(process.execPath, [join(this.#folder, `${name}.js`), ...args], {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    return watch(child);
  }

  /** Runs an application until it ends by itself. */
  run(name: string, options?: RunOptions): Promise<Ended> {
    return this.start(name, options).ended;
  }

  remove(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function watch(child: ChildProcess): RunningApp {
  const stdout: string[] = [];
  let stderr = '';
  const wake: (() => void)[] = [];
  let over = false;
  createInterface({ input: child.stdout! }).on('line', (line) => {
    stdout.push(line);
    for (const resolve of wake.splice(0)) resolve();
  });
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  let at = 0;
  child.once('exit', () => (at = performance.now()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      over = true;
      for (const wakeUp of wake.splice(0)) wakeUp();
      resolve({ code, signal, stdout: stdout.join('\n'), stderr, at });
    });
  });
  return {
    ended,
    signal: (signal) => void child.kill(signal),
    async said(line) {
      while (!stdout.includes(line)) {
        if (over) throw new Error(`ended without saying "${line}":\n${stdout.join('\n')}\n${stderr}`);
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
  };
}

function transpile(from: string, to: string): void {
  for (const file of readdirSync(from, { encoding: 'utf8', recursive: true })) {
    if (!/\.c?ts$/.test(file)) continue;
    const target = join(to, file.replace(/ts$/, 'js'));
    mkdirSync(dirname(target), { recursive: true });
    const type = file.endsWith('.cts') ? 'commonjs' : 'es6';
    writeFileSync(target, transformFileSync(join(from, file), { module: { type } }).code);
  }
}
