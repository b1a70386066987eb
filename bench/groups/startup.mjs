import { checkNode, chooseHttp } from '../support/choose.mjs';
import { Server } from '../support/server.mjs';
import { sum, summary } from '../support/statistics.mjs';
import { skippedLines, spread, table } from '../support/tables.mjs';
import { reasonOf } from '../support/reason.mjs';

const MIB = 2 ** 20;

/** Set-ups that start like another one, and differ only in how they process requests. */
const REDUNDANT = /^(interceptor|.*-1pc|ours-1|floor-1)(@against)?$/;

/** The number of starts of each set-up, in relation to the rounds of other groups: a start is short, and its time varies. */
const STARTS_PER_ROUND = 3;

/** Measures the time until an application listens, and its memory then. */
export const startup = {
  name: 'startup',
  title: 'Start of an application on Fastify',
  firstNodeOnly: true,
  async run(context) {
    const { backend, durations, length, log, node, places } = context;
    const skipped = [];
    const [bare, ...others] = chooseHttp('fastify', context).filter(({ id }) => !REDUNDANT.test(id));
    let setups = others;
    const rounds = [];
    const startsWanted = length === 'smoke' ? 1 : STARTS_PER_ROUND * durations.rounds;
    // The first start of each set-up is not counted: it reads the files into the cache of the operating system.
    for (let start = 0; start <= startsWanted; start++) {
      const round = new Map();
      // Each set-up is compared with the bare starts of its round, so that a drift of the machine affects both.
      for (const setup of [bare, ...(start % 2 ? setups : setups.toReversed()), bare]) {
        log(`start ${start} of ${startsWanted}: ${setup.id}`);
        try {
          checkNode(setup, node);
          const place = { app: 'http', platform: 'fastify', backend, node: node.path, folder: places.of(setup) };
          round.set(setup.id, [...(round.get(setup.id) ?? []), await startOnce(setup, place)]);
        } catch (error) {
          skipped.push({ id: setup.id, title: setup.title, reason: reasonOf(error) });
        }
      }
      if (start > 0) rounds.push(round);
      setups = setups.filter(({ id }) => !skipped.some((setup) => setup.id === id));
    }
    return { starting: [bare, ...setups].map((setup) => summarize(setup, bare, rounds)), skipped };
  },
  render({ skipped, starting }) {
    const lines = table(
      ['set-up', 'ms until it listens', 'added ms', 'CPU ms', 'added CPU ms', 'heap MiB', 'RSS MiB'],
      starting.map(({ added, cpu, heap, milliseconds, rss, title }) => [
        title,
        spread(milliseconds, 0),
        spread(added?.milliseconds, 0),
        spread(cpu, 0),
        spread(added?.cpu, 0),
        heap.median.toFixed(1),
        rss.median.toFixed(0),
      ]),
    );
    return [...lines, ...skippedLines(skipped)];
  },
};

function summarize({ id, title }, bare, rounds) {
  const of = (key) => summary(rounds.flatMap((round) => round.get(id).map((figure) => figure[key])));
  const mean = (round, setup, key) => sum(round.get(setup).map((figure) => figure[key])) / round.get(setup).length;
  const addedOf = (key) => summary(rounds.map((round) => mean(round, id, key) - mean(round, bare.id, key)));
  const added = id === bare.id ? undefined : { milliseconds: addedOf('milliseconds'), cpu: addedOf('cpu') };
  return { id, title, milliseconds: of('milliseconds'), cpu: of('cpu'), heap: of('heap'), rss: of('rss'), added };
}

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
