import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';

/** The core of what is measured, and that of everything else. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Milliseconds after which a process that does not answer hangs. */
const PATIENCE = 60_000;

/** Whether processes can be kept to one core each. */
export const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

/** Keeps this process, and what it starts by default, off the core of what is measured. */
export function pinThisProcess() {
  if (canPin) spawnSync('taskset', ['--all-tasks', '--pid', '--cpu-list', String(LOAD_CORE), String(process.pid)]);
}

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process that takes commands from this one, on a core of its own. */
export class Worker {
  #child;
  #pending = new Map();
  #lastId = 0;
  #ready;
  #death;

  /** What the process said when it was ready. */
  readyMessage;

  /** Starts a process and waits until it is ready, if it says so. */
  static async start(node, args, { core, cwd, env = {}, saysReady = true }) {
    const worker = new Worker(node, args, core, cwd, env);
    if (saysReady) await worker.#waitUntilReady();
    return worker;
  }

  constructor(node, args, core, cwd, env) {
    const [command, ...first] = canPin ? ['taskset', '--cpu-list', String(core), node] : [node];
    const child = spawn(command, [...first, ...args], {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    running.add(child);
    this.output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (this.output = (this.output + chunk).slice(-10_000)));
    }
    this.#ready = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.on('message', (message) => {
        if (message.ready) resolve(message);
        else if (message.failed) reject(new Error(message.failed));
        else this.#answer(message);
      });
      this.exited = new Promise((resolve) => {
        child.once('close', (code, signal) => {
          running.delete(child);
          const error = new Error(`A process has ended with ${signal ?? code}.\n${this.output.trim()}`);
          this.#death = error;
          reject(error);
          for (const { reject } of this.#pending.values()) reject(error);
          this.#pending.clear();
          resolve();
        });
      });
    });
    this.#ready.catch(() => {});
  }

  async #waitUntilReady() {
    try {
      this.readyMessage = await within(PATIENCE, this.#ready, 'A process was not ready in time.');
    } catch (error) {
      this.#child.kill('SIGKILL');
      throw error;
    }
  }

  async ask(command, argument, patience = PATIENCE) {
    if (this.#death) throw this.#death;
    const id = ++this.#lastId;
    const answer = new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#child.send({ id, command, argument }, () => {});
    return within(patience, answer, `A process did not answer "${command}".`);
  }

  #answer({ id, error, result }) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(new Error(error));
  }

  async end() {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

/** Nothing that the user's shell happens to say may configure what is measured. */
function cleanEnvironment() {
  const names = Object.keys(process.env).filter((name) => !/^(OTEL_|DD_|SENTRY_|NODE_|npm_)/.test(name));
  return { ...Object.fromEntries(names.map((name) => [name, process.env[name]])), NODE_ENV: 'production' };
}

async function within(milliseconds, promise, complaint) {
  let timer;
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), milliseconds);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
