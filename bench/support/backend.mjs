import { join } from 'node:path';
import process from 'node:process';
import { LOAD_CORE, Worker } from './process.mjs';

const processes = join(import.meta.dirname, '../processes');

/** Milliseconds between two looks at the sink. */
const LOOK = 20;

/** The sink and the load generator: what is beside every server under test. */
export class Backend {
  static async start() {
    const sink = await Worker.start(process.execPath, [join(processes, 'sink.mjs')], { core: LOAD_CORE });
    const load = await Worker.start(process.execPath, [join(processes, 'load.mjs')], {
      core: LOAD_CORE,
      saysReady: false,
    });
    return new Backend(sink, load);
  }

  constructor(sink, load) {
    this.sink = sink;
    this.load = load;
    this.endpoint = `http://127.0.0.1:${sink.readyMessage.port}`;
  }

  /** Makes requests for a while, at most as many as the server answers one after the other. */
  request(order) {
    return this.load.ask('run', order, order.milliseconds + 30_000);
  }

  spans() {
    return this.sink.ask('count');
  }

  describeSpans() {
    return this.sink.ask('describe');
  }

  /** Waits until the sink has that many spans, or no more come; returns how many it has. */
  async arrival(expected, patience) {
    const deadline = performance.now() + patience;
    let count = await this.spans();
    while (count < expected && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      count = await this.spans();
    }
    return count;
  }

  /** Waits until no span has come for some milliseconds; returns how many there are. For who cannot be made to flush. */
  async rest(milliseconds) {
    let count = await this.spans();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      const now = await this.spans();
      if (now === count) return now;
      count = now;
    }
  }

  async end() {
    await Promise.all([this.sink.end(), this.load.end()]);
  }
}
