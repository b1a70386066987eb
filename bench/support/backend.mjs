import { join } from 'node:path';
import process from 'node:process';
import { LOAD_CORE, Worker } from './process.mjs';

const processes = join(import.meta.dirname, '../processes');

/** The time between two queries of the sink, in milliseconds. */
const LOOK = 20;

/** The sink and the load generator, which all servers under test share. */
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

  /** Makes requests for a while. Each connection waits for a response before its next request. */
  request(order) {
    return this.load.ask('run', order, order.milliseconds + 30_000);
  }

  /** Makes requests at a rate for a while. Returns the latencies as well. */
  pace(order) {
    return this.load.ask('pace', order, order.milliseconds + 30_000);
  }

  spans() {
    return this.sink.ask('count');
  }

  describeSpans() {
    return this.sink.ask('describe');
  }

  /** Waits until the sink has this many spans, or the time has passed. Returns how many it has. */
  async arrival(expected, patience) {
    const deadline = performance.now() + patience;
    let count = await this.spans();
    while (count < expected && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      count = await this.spans();
    }
    return count;
  }

  /** Waits until no span has arrived for some milliseconds. Returns how many there are. It is for set-ups without a flush. */
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
