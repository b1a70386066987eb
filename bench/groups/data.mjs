import { join } from 'node:path';
import { LOAD_CORE, Worker } from '../support/process.mjs';
import { Server } from '../support/server.mjs';
import { bench } from '../support/stage.mjs';
import { summary } from '../support/statistics.mjs';
import { table } from '../support/tables.mjs';

const setups = {
  bare: { id: 'bare', title: 'bare', setup: 'bare' },
  ours: { id: 'ours', title: 'nestjs-tracing', setup: 'ours' },
  metrics: { id: 'metrics', title: 'nestjs-tracing, metrics', setup: 'ours', options: { metrics: true } },
  drivers: { id: 'drivers', title: "OpenTelemetry's instrumentations", setup: 'drivers' },
};

/** Each driver has its own processes, as an application hardly has all of them. */
const DRIVERS = ['pg', 'mysql2', 'ioredis', 'TypeORM'];

/** Measures queries of database drivers, alternately in one process for each set-up. */
export const data = {
  name: 'data',
  title: 'Queries of databases',
  firstNodeOnly: true,
  async run({ backend, durations, length, log, node, places }) {
    const figures = Object.fromEntries(Object.keys(setups).map((id) => [id, {}]));
    const folder = places.of(setups.bare);
    const program = join(bench, 'processes/databases.mjs');
    const databases = await Worker.start(node.path, [program, folder], { core: LOAD_CORE, cwd: folder });
    const { ports } = databases.readyMessage;
    const place = { app: 'data', options: { noExport: true, databases: ports }, backend, node: node.path };
    const rounds = length === 'smoke' ? 1 : durations.rounds + 1;
    const milliseconds = length === 'smoke' ? 50 : 500;
    const work = (worker, driver) => worker.ask('work', { driver, milliseconds }, 180_000);
    try {
      for (const driver of DRIVERS) {
        const workers = {};
        try {
          for (const [id, setup] of Object.entries(setups)) {
            workers[id] = await Server.start(setup, { ...place, folder: places.of(setup) });
            await work(workers[id], driver);
          }
          for (let round = 0; round < rounds; round++) {
            log(`round ${round + 1}: ${driver}`);
            for (const [id, worker] of Object.entries(workers)) {
              const costs = await work(worker, driver);
              for (const [query, cost] of Object.entries(costs)) (figures[id][query] ??= []).push(cost);
            }
          }
        } finally {
          await Promise.all(Object.values(workers).map((worker) => worker.end()));
        }
      }
    } finally {
      await databases.end();
    }
    return {
      versions: places.versions({}, ['ioredis', 'mysql2', 'pg', 'typeorm', '@opentelemetry/sdk-trace']),
      figures,
    };
  },
  render({ figures }) {
    const { bare, ...traced } = figures;
    const added = (costs, query) => costs[query].map((cost, round) => cost - bare[query][round]);
    const rowOf = (query) => [
      query,
      cell(bare[query]),
      ...Object.values(traced).map((costs) => cell(added(costs, query))),
    ];
    return [
      'Microseconds of CPU time for a query, and what tracing adds, without export. The databases answer at once.',
      '',
      ...table(['query', 'bare', ...Object.keys(traced).map((id) => setups[id].title)], Object.keys(bare).map(rowOf)),
    ];
  },
};

function cell(costs) {
  const { high, low, median } = summary(costs);
  return `${median.toFixed(1)} [${low.toFixed(1)}–${high.toFixed(1)}]`;
}
