import { checkNode, chooseHttp } from '../support/choose.mjs';
import { Server } from '../support/server.mjs';
import { summary } from '../support/statistics.mjs';
import { skippedLines, spread, table } from '../support/tables.mjs';
import { reasonOf } from '../support/reason.mjs';

const MIB = 2 ** 20;

/** Set-ups that start like another one, and differ only in how they process requests. */
const REDUNDANT = /^(interceptor|.*-1pc|ours-1|floor-1)$/;

const starts = { full: 5, quick: 3, smoke: 1 };

/** Measures the time until an application listens, and its memory then. */
export const startup = {
  name: 'startup',
  title: 'Start of an application on Fastify',
  firstNodeOnly: true,
  async run(context) {
    const { backend, length, log, node, places } = context;
    const skipped = [];
    let setups = chooseHttp('fastify', context).filter(({ id }) => !REDUNDANT.test(id));
    const figures = new Map(setups.map(({ id }) => [id, []]));
    // The first start of each set-up is not counted: it reads the files into the cache of the operating system.
    for (let start = 0; start <= starts[length]; start++) {
      for (const setup of setups) {
        log(`start ${start} of ${starts[length]}: ${setup.id}`);
        try {
          checkNode(setup, node);
          const place = { app: 'http', platform: 'fastify', backend, node: node.path, folder: places.of(setup) };
          const figure = await startOnce(setup, place);
          if (start > 0) figures.get(setup.id).push(figure);
        } catch (error) {
          skipped.push({ id: setup.id, title: setup.title, reason: reasonOf(error) });
        }
      }
      setups = setups.filter(({ id }) => !skipped.some((setup) => setup.id === id));
    }
    const starting = setups.map(({ id, title }) => {
      const of = (key) => summary(figures.get(id).map((figure) => figure[key]));
      return { id, title, milliseconds: of('milliseconds'), cpu: of('cpu'), heap: of('heap'), rss: of('rss') };
    });
    return { starting, skipped };
  },
  render({ skipped, starting }) {
    const lines = table(
      ['set-up', 'ms until it listens', 'CPU ms', 'heap MiB', 'RSS MiB'],
      starting.map(({ cpu, heap, milliseconds, rss, title }) => [
        title,
        spread(milliseconds, 0),
        spread(cpu, 0),
        heap.median.toFixed(1),
        rss.median.toFixed(0),
      ]),
    );
    return [...lines, ...skippedLines(skipped)];
  },
};

async function startOnce(setup, place) {
  const server = await Server.start(setup, place);
  try {
    const { cpu, readyAfter } = server.worker.readyMessage;
    const { heapUsed, rss } = await server.ask('memory');
    return { milliseconds: readyAfter, cpu: cpu / 1000, heap: heapUsed / MIB, rss: rss / MIB };
  } finally {
    await server.end();
  }
}
