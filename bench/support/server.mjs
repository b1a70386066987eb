import { SERVER_CORE, Worker } from './process.mjs';

/** Milliseconds that spans may take to the sink after a flush. */
const ARRIVAL_PATIENCE = 8_000;
/** Milliseconds without a span after which no full batch is waiting. */
const STILL = 50;
/** Spans that do not leave before their time: one less than a batch. */
const BATCH = 511;

/** One application under test, on the core of its own. */
export class Server {
  /**
   * @param {object} setup an entry of setups.mjs
   * @param {object} place where it runs: `node`, the program; `folder`, the compiled application; `app`, `platform`, `backend`
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
   * Does a piece of work with the server and returns what it took, until the last span of it has arrived.
   *
   * @param work returns how many requests it made: `{ requests, non2xx, milliseconds }`
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

  // The stock processor flushes all batches at once, and the stock exporter refuses more than thirty: let them leave as
  // they do anyway, until what is left is less than a batch.
  async #drain(before, requests) {
    const { settle, spans } = this.setup;
    if (settle !== undefined) return;
    if (Number.isInteger(spans)) await this.backend.arrival(before + spans * requests - BATCH, ARRIVAL_PATIENCE);
    else await this.backend.rest(STILL);
  }

  // Where chance decides, there is no number to wait for: a flush has to be enough.
  async #spansAfter(before, requests) {
    const { settle, spans } = this.setup;
    if (settle !== undefined) return await this.backend.rest(settle);
    const expected = Number.isInteger(spans) ? before + spans * requests : before;
    return await this.backend.arrival(expected, ARRIVAL_PATIENCE);
  }

  async end() {
    await this.worker.end();
  }
}
