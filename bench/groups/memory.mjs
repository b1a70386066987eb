import { httpSetups } from '../setups.mjs';
import { backendState } from '../support/backend-states.mjs';
import { Server } from '../support/server.mjs';
import { table } from '../support/tables.mjs';
import { request } from './http.mjs';

const MIB = 2 ** 20;
/** The time between two readings of the memory, in milliseconds. */
const READ_INTERVAL = 250;

const cases = [
  ['bare', 'up'],
  ['ours-3', 'up'],
  ['ours-3', 'down'],
  ['ours-3', 'silent'],
  ['floor-3', 'up'],
  ['floor-3', 'down'],
];

const loads = { full: 10_000, quick: 5_000, smoke: 300 };

/** Measures the memory of an application under load with the default queue, while the backend is up and while it is not. */
export const memory = {
  name: 'memory',
  title: 'Memory under load on Fastify',
  firstNodeOnly: true,
  async run({ backend, length, log, node, places }) {
    const held = [];
    for (const [id, state] of cases) {
      log(`${id}, backend ${state}`);
      const setup = httpSetups.find((setup) => setup.id === id);
      const { close, endpoint } = await backendState(state, backend);
      const options = { queue: undefined };
      const place = { app: 'http', platform: 'fastify', backend, endpoint, options, node: node.path };
      const server = await Server.start(setup, { ...place, folder: places.of(setup) });
      try {
        held.push({ id, title: setup.title, state, ...(await underLoad(server, loads[length])) });
      } finally {
        await server.end();
        close();
      }
    }
    const problems = held
      .filter(({ non2xx }) => non2xx > 0)
      .map(({ non2xx, state, title }) => `${title}, backend ${state}: ${non2xx} responses were not 2xx`);
    return { held, seconds: loads[length] / 1000, problems };
  },
  render({ held, seconds }) {
    return [
      `After ${seconds} s under full load; the heap after a garbage collection. With the default queue of 2048 spans, so a busy server may drop spans even if the backend is up.`,
      '',
      ...table(
        ['set-up', 'backend', 'requests', 'heap MiB', 'RSS MiB, highest', 'RSS MiB, end'],
        held.map(({ heap, peak, requests, rss, state, title }) => [
          title,
          state,
          requests,
          heap.toFixed(1),
          peak.toFixed(0),
          rss.toFixed(0),
        ]),
      ),
    ];
  },
};

async function underLoad(server, milliseconds) {
  let peak = 0;
  const readPeak = async () => {
    peak = Math.max(peak, (await server.ask('rss')) / MIB);
  };
  const timer = setInterval(() => void readPeak().catch(() => {}), READ_INTERVAL);
  try {
    const { non2xx, requests } = await request(server, milliseconds);
    await readPeak();
    const { heapUsed, rss } = await server.ask('memory');
    return { requests, non2xx, peak, heap: heapUsed / MIB, rss: rss / MIB };
  } finally {
    clearInterval(timer);
  }
}
