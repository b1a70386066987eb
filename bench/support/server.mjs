import { SERVER_CORE, Worker } from './process.mjs';

/** The time limit for spans to arrive at the sink after a flush, in milliseconds. */
const ARRIVAL_TIME_LIMIT = 8_000;
/** The time without new spans after which no full batch waits, in milliseconds. */
const STILL = 50;
/** The number of spans that wait for the delay of a batch: one less than a full batch. */
const BATCH = 511;

/** One application under test, on its own core. */
export class Server {
  /**
   * @param {object} setup an entry of setups.mjs
   * @param {object} place `node`: the program; `folder`: the compiled application; `app`, `platform`, `backend`
   */
  static async start(setup, { app, backend, endpoint = backend.endpoint, folder, node, options = {}, platform }) {
    const bench = { setup: setup.setup, app, platform, endpoint, ...setup.options, ...options };
    const args = ['--expose-gc', ...(setup.nodeArgs?.(folder) ?? []), `${folder}/main.js`];
    const env = { BENCH: JSON.stringify(bench), ...setup.env?.(endpoint) };
    const worker = await Worker.start(node, args, { core: SERVER_CORE, cwd: folder, env });
    return new Server(setup, worker, backend);
  }

  constructor(setup, worker, backend) {
    this.setup = setup;
    this.worker = worker;
    this.backend = backend;
    this.port = worker.readyMessage.port;
  }

  ask(command, argument, patience) {
    return this.worker.ask(command, argument, patience);
  }

  /**
   * Does work with the server. Returns the CPU time until the last span of the work has arrived.
   *
   * @param work makes requests and returns `{ requests, non2xx, milliseconds }`
   */
  async measure(work) {
    const { backend } = this;
    const spansBefore = await backend.spans();
    const before = await this.ask('cpu');
    const { milliseconds, non2xx, requests } = await work();
    const busy = await this.ask('cpu');
    await this.#drain(spansBefore, requests);
    await this.ask('flush');
    const spans = (await this.#spansAfter(spansBefore, requests)) - spansBefore;
    const cpu = (await this.ask('cpu')) - before;
    return {
      requests,
      non2xx,
      spans,
      microseconds: cpu / requests,
      utilization: (busy - before) / 1000 / milliseconds,
    };
  }

  // The stock processor flushes all batches at once, and the stock exporter rejects more than thirty. So wait until less than a
  // batch is left.
  async #drain(before, requests) {
    const { settle, spans } = this.setup;
    if (settle !== undefined) return;
    if (Number.isInteger(spans)) await this.backend.arrival(before + spans * requests - BATCH, ARRIVAL_TIME_LIMIT);
    else await this.backend.rest(STILL);
  }

  // With a sampler, the number of spans is unknown, so a flush has to be enough.
  async #spansAfter(before, requests) {
    const { settle, spans } = this.setup;
    if (settle !== undefined) return await this.backend.rest(settle);
    const expected = Number.isInteger(spans) ? before + spans * requests : before;
    return await this.backend.arrival(expected, ARRIVAL_TIME_LIMIT);
  }

  async end() {
    await this.worker.end();
  }
}
