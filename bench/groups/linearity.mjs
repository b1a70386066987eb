import { Server } from '../support/server.mjs';
import { summary } from '../support/statistics.mjs';
import { table } from '../support/tables.mjs';
import { request } from './http.mjs';

/** The numbers of spans per request: server span, handler span, and one for each call of the service. */
const SPANS = [3, 10, 25, 50, 100];
const BASE = 2;
/** A queue with room for the spans of a whole slice. */
const QUEUE = 2 ** 19;

const kinds = { bare: 'bare', ours: 'nestjs-tracing', floor: 'by hand on the stock SDK' };

/** Measures whether each additional span of a request costs the same. */
export const linearity = {
  name: 'linearity',
  title: 'Many spans in a request on Fastify',
  firstNodeOnly: true,
  async run({ backend, durations, log, node, places }) {
    const servers = [];
    const figures = {};
    const problems = [];
    try {
      for (const spans of SPANS) {
        for (const kind of Object.keys(kinds)) {
          log(`start: ${kind}, ${spans} spans`);
          const setup = { id: `${kind}-${spans}`, title: kinds[kind], setup: kind, spans: kind === 'bare' ? 0 : spans };
          const options = { methods: spans - BASE, queue: QUEUE };
          const place = { app: 'http', platform: 'fastify', backend, options, node: node.path };
          const server = await Server.start(setup, { ...place, folder: places.of(setup) });
          servers.push({ kind, spans, server });
          await server.measure(() => request(server, durations.warmUp));
        }
      }
      for (let round = 0; round < durations.rounds; round++) {
        for (const { kind, server, spans } of round % 2 === 0 ? servers : servers.toReversed()) {
          log(`round ${round + 1}: ${kind}, ${spans} spans`);
          const slice = await server.measure(() => request(server, durations.slice / 2));
          ((figures[spans] ??= {})[kind] ??= []).push(slice.microseconds);
          const wanted = server.setup.spans * slice.requests;
          if (slice.spans !== wanted) problems.push(`${kind}, ${spans} spans: ${slice.spans} of ${wanted} arrived`);
          if (slice.non2xx > 0) problems.push(`${kind}, ${spans} spans: ${slice.non2xx} responses were not 2xx`);
        }
      }
    } finally {
      await Promise.all(servers.map(({ server }) => server.end()));
    }
    return { growth: growthOf(figures), figures, problems };
  },
  render({ growth }) {
    return [
      ...table(
        [
          'spans per request',
          'bare, CPU µs',
          ...['ours', 'floor'].flatMap((kind) => [`${kinds[kind]}, added µs`, 'per span']),
        ],
        growth.map(({ bare, floor, ours, spans }) => [
          spans,
          bare.median.toFixed(1),
          ours.median.toFixed(1),
          (ours.median / spans).toFixed(2),
          floor.median.toFixed(1),
          (floor.median / spans).toFixed(2),
        ]),
      ),
      '',
      ...['ours', 'floor'].map(
        (kind) => `Spans per second that one core makes and delivers, ${kinds[kind]}: ${perSecond(growth, kind)}.`,
      ),
    ];
  },
};

function growthOf(figures) {
  return SPANS.map((spans) => {
    const { bare, floor, ours } = figures[spans];
    const added = (times) => summary(times.map((time, round) => time - bare[round]));
    return { spans, bare: summary(bare), ours: added(ours), floor: added(floor) };
  });
}

/** Spans per second at the highest number of spans per request, where the cost of the request itself is negligible. */
function perSecond(growth, kind) {
  const last = growth.at(-1);
  const thousands = (1e3 * last.spans) / (last[kind].median + last.bare.median);
  return `${Math.round(thousands)},000`;
}
