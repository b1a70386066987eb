import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CompiledFolder } from './compiled-folder.js';

/** The end of a process, and its output. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The time at which it ended, from `performance.now()`. */
  readonly at: number;
}

/** An application in its own process. */
export interface RunningApp {
  /** Resolves when the process has written this line to its standard output. Rejects if the process ends before. */
  said(line: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export interface RunOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the applications of a folder in their own processes, where Jest's modules are absent and a process may end. */
export class Apps {
  readonly #compiled: CompiledFolder;
  readonly #children = new Set<ChildProcess>();

  constructor(applications = 'test/e2e/apps') {
    this.#compiled = new CompiledFolder(applications);
  }

  /** Starts an application without any variable of this process that could configure it. */
  start(name: string, { args = [], env = {} }: RunOptions = {}): RunningApp {
    const child = spawn(process.execPath, [join(this.#compiled.path, `${name}.js`), ...args], {
      cwd: this.#compiled.path,
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
    this.#compiled.remove();
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
