import { Server } from '../support/server.mjs';
import { summary } from '../support/statistics.mjs';
import { table } from '../support/tables.mjs';

const setups = {
  stock: { id: 'stock', title: 'stock SDK', setup: 'floor' },
  ours: { id: 'ours', title: 'nestjs-tracing', setup: 'ours' },
};

/** Measures single pieces of tracing, alternately in a process with the stock SDK and in one with the library. */
export const micro = {
  name: 'micro',
  title: 'Single pieces',
  firstNodeOnly: true,
  async run({ backend, durations, length, log, node, places }) {
    const workers = {};
    const figures = { stock: {}, ours: {} };
    const place = { app: 'micro', options: { noExport: true }, backend, node: node.path };
    const rounds = length === 'smoke' ? 1 : durations.rounds + 1;
    try {
      for (const [id, setup] of Object.entries(setups)) {
        workers[id] = await Server.start(setup, { ...place, folder: places.of(setup) });
      }
      for (let round = 0; round < rounds; round++) {
        for (const [id, worker] of Object.entries(workers)) {
          log(`round ${round + 1}: ${id}`);
          const times = await worker.ask('work', { milliseconds: length === 'smoke' ? 10 : 150 }, 180_000);
          for (const [piece, time] of Object.entries(times)) (figures[id][piece] ??= []).push(time);
        }
      }
    } finally {
      await Promise.all(Object.values(workers).map((worker) => worker.end()));
    }
    return { versions: places.versions({}, ['mitata', '@opentelemetry/sdk-trace']), figures };
  },
  render({ figures: { ours, stock } }) {
    const pieces = [...new Set([...Object.keys(stock), ...Object.keys(ours)])];
    return [
      'Nanoseconds per call, below a recording span, without export.',
      '',
      ...table(
        ['piece', 'stock SDK', 'with nestjs-tracing'],
        pieces.map((piece) => [piece, cell(stock[piece]), cell(ours[piece])]),
      ),
    ];
  },
};

function cell(times) {
  if (!times) return '–';
  const { high, low, median } = summary(times);
  return `${median.toFixed(0)} [${low.toFixed(0)}–${high.toFixed(0)}]`;
}
