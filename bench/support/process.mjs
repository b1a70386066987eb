import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';

/** The core of the server under test, and the core of everything else. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** The time limit for the response of a process, in milliseconds. */
const TIME_LIMIT = 60_000;

/** True if processes can be pinned to one core each. */
export const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

/** Pins this process to the core that is not measured. The processes that it starts inherit this by default. */
export function pinThisProcess() {
  if (canPin) spawnSync('taskset', ['--all-tasks', '--pid', '--cpu-list', String(LOAD_CORE), String(process.pid)]);
}

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process that runs commands of this one, on its own core. */
export class Worker {
  #child;
  #pending = new Map();
  #lastId = 0;
  #ready;
  #death;

  /** The message that the process sent when it was ready. */
  readyMessage;

  /** Starts a process. Waits until it is ready, if it reports that. */
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
      this.readyMessage = await within(TIME_LIMIT, this.#ready, 'A process was not ready in time.');
    } catch (error) {
      this.#child.kill('SIGKILL');
      throw error;
    }
  }

  async ask(command, argument, patience = TIME_LIMIT) {
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

/** The environment without variables of the user's shell that would configure the measured libraries. */
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
