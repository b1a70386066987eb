import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The time that a service has to close, in milliseconds. */
const TIME_LIMIT = 10_000;

/** A service in its own process. */
export class ServiceProcess {
  /** Resolves with the address that the service listens on. Rejects if the process ends before. */
  readonly listening: Promise<string>;
  /** Rejects if the process ends without having been stopped. */
  readonly broken: Promise<never>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #stopping = false;

  constructor(name: string, file: string, env: NodeJS.ProcessEnv) {
    const child = spawn(process.execPath, ['--enable-source-maps', file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    createInterface({ input: child.stderr }).on('line', (line) => console.error(`[${name}] ${line}`));
    const lines = createInterface({ input: child.stdout });

    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    this.broken = new Promise((_resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        if (!this.#stopping) reject(new Error(`The service ${name} has ended (${signal ?? `exit code ${code}`})`));
      });
    });
    const address = new Promise<string>((resolve) => {
      lines.on('line', (line) => {
        const [, address] = /listens on (\S+)$/.exec(line) ?? [];
        if (address) resolve(address);
        else console.log(`[${name}] ${line}`);
      });
    });
    this.listening = Promise.race([address, this.broken]);
    // The process may end before anything waits for it.
    for (const promise of [this.broken, this.listening]) promise.catch(() => {});
  }

  /** Closes the service as a platform does: with a signal, and with time to export the last spans. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), TIME_LIMIT);
    await this.#ended;
    clearTimeout(timer);
  }
}
