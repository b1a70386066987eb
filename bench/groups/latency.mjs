import { httpSetups } from '../setups.mjs';
import { Server } from '../support/server.mjs';
import { summary } from '../support/statistics.mjs';
import { spread, table } from '../support/tables.mjs';
import { request } from './http.mjs';

const IDS = ['bare', 'ours-1pc', 'ours-3', 'floor-3'];
const PATH = '/users/42';
/** More connections than requests are under way, so that a request waits for the server and not for a connection. */
const CONNECTIONS = 32;

/** Measures the latency of requests at half of the load that the application can serve with three spans for each. */
export const latency = {
  name: 'latency',
  title: 'Latency at half load on Fastify',
  firstNodeOnly: true,
  async run({ backend, durations, log, node, places }) {
    const servers = new Map();
    const figures = {};
    const problems = [];
    try {
      for (const id of IDS) {
        log(`start: ${id}`);
        const setup = httpSetups.find((one) => one.id === id);
        const place = { app: 'http', platform: 'fastify', backend, node: node.path };
        const server = await Server.start(setup, { ...place, folder: places.of(setup) });
        servers.set(id, server);
        await request(server, durations.warmUp);
      }
      const full = await request(servers.get('ours-3'), durations.slice);
      const perSecond = Math.floor((full.requests / full.milliseconds) * 500);
      for (let round = 0; round < durations.rounds; round++) {
        for (const id of round % 2 === 0 ? IDS : IDS.toReversed()) {
          log(`round ${round + 1}: ${id}`);
          const order = { port: servers.get(id).port, path: PATH, connections: CONNECTIONS, perSecond };
          const { latencies, non2xx } = await backend.pace({ ...order, milliseconds: durations.slice });
          (figures[id] ??= []).push(latencies);
          if (non2xx > 0) problems.push(`${id}: ${non2xx} responses were not 2xx`);
        }
      }
      const titles = Object.fromEntries([...servers].map(([id, { setup }]) => [id, setup.title]));
      return { perSecond, figures, titles, problems };
    } finally {
      await Promise.all([...servers.values()].map((server) => server.end()));
    }
  },
  render({ figures, perSecond, titles }) {
    const of = (id, key) => spread(summary(figures[id].map((latencies) => latencies[key] * 1000)), 0);
    return [
      `${perSecond} requests per second: half of what the application serves with three spans for each. From the time at which a request is due.`,
      '',
      ...table(
        ['set-up', 'median, µs', 'p99, µs'],
        IDS.map((id) => [titles[id], of(id, 'p50'), of(id, 'p99')]),
      ),
    ];
  },
};
