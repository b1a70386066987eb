import { summary } from './statistics.mjs';

/** The goals apply only to this version. */
const NODE = /^v24\./;

/**
 * Returns the goals of the project, each with the result that decides whether it is met. Goals without a measurement are
 * omitted.
 */
export function judge(groups) {
  const goals = [];
  for (const result of Object.values(groups)) {
    if (result.failed || !NODE.test(result.node)) continue;
    for (const [pattern, judgeGroup] of judges) if (pattern.test(result.group)) goals.push(...judgeGroup(result));
  }
  return goals.filter((goal) => goal !== undefined);
}

const judges = [
  [/^http-(fastify|express)$/, httpGoals],
  [/^grpc-unary-/, grpcGoals],
  [/^linearity$/, linearityGoals],
  [/^memory$/, memoryGoals],
  [/^micro$/, microGoals],
];

function httpGoals({ checks, group, platform, rows }) {
  const row = (id) => rows.find((row) => row.id === id);
  const ours = row('ours-3');
  return [
    atMost(`${group}: 3 spans, against the same spans by hand on the stock SDK`, 1.15, compare(ours, row('floor-3'))),
    ...rows
      .filter(
        ({ id, peer, spansPerRequest }) => peer && spansPerRequest <= ours?.spansPerRequest && !id.endsWith('1pc'),
      )
      .map((peer) => atMost(`${group}: 3 spans, against ${peer.title}`, 1, compare(ours, peer))),
    platform === 'fastify' ? atMost(`${group}: 1 %, against bare`, 1.25, row('ours-1pc')?.ratio) : undefined,
    atMost(`${group}: disabled, against bare`, 1.02, row('disabled')?.ratio),
    checks.disabled && exactly(`${group}: files of the SDK that are loaded when disabled`, 0, checks.disabled.sdkFiles),
    atMost(`${group}: metrics, against the same without`, 1.1, compare(row('ours-metrics'), ours)),
  ];
}

function grpcGoals({ group, rows }) {
  const row = (id) => rows.find((row) => row.id === id);
  return [
    atMost(`${group}: against the same spans by hand on the stock SDK`, 1.15, compare(row('ours'), row('floor'))),
  ];
}

/** Compares the cost of an additional span among many with the cost among few. */
function linearityGoals({ figures, group }) {
  const added = (spans, round) => figures[spans].ours[round] - figures[spans].bare[round];
  const slope = (from, to, round) => (added(to, round) - added(from, round)) / (to - from);
  const ratios = figures[100].ours.map((_, round) => slope(50, 100, round) / slope(3, 50, round));
  return [atMost(`${group}: one of the spans from the 50th on, against one of those before`, 1.2, summary(ratios))];
}

/** The additional memory that an application may use while its backend is down, in MiB. */
const MEMORY_BOUND = 64;

function memoryGoals({ group, held }) {
  const peak = (state) => held.find((row) => row.id === 'ours-3' && row.state === state).peak;
  return ['down', 'silent'].map((state) =>
    atMost(
      `${group}: MiB more at the highest with the backend ${state}`,
      MEMORY_BOUND,
      single(peak(state) - peak('up')),
    ),
  );
}

function microGoals({ figures: { ours, stock }, group }) {
  const ratios = ours['@Span() on a sync method'].map((time, round) => {
    const added = time - ours['a sync method'][round];
    return added / (stock['startActiveSpan() around a sync method'][round] - stock['a sync method'][round]);
  });
  return [
    atMost(
      `${group}: what @Span() adds to a sync method, against startActiveSpan() of the stock SDK`,
      1.2,
      summary(ratios),
    ),
  ];
}

function single(value) {
  const rounded = Math.round(value);
  return { median: rounded, low: rounded, high: rounded };
}

/** Compares two set-ups round by round, as ratios to the nearest bare slices. */
function compare(one, other) {
  if (!one || !other) return undefined;
  return summary(one.rounds.map(({ ratio }, round) => ratio / (other.rounds[round]?.ratio ?? Number.NaN)));
}

/** @param figure median and spread, or undefined if it was not measured */
export function atMost(goal, limit, figure) {
  if (!figure) return undefined;
  const { high, low, median } = figure;
  return { goal, limit, median, low, high, met: median <= limit, certain: high <= limit || low > limit };
}

export function exactly(goal, limit, value) {
  return { goal, limit, median: value, low: value, high: value, met: value === limit, certain: true };
}
