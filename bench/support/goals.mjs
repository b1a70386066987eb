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
  [/^latency$/, latencyGoals],
  [/^linearity$/, linearityGoals],
  [/^startup$/, startupGoals],
  [/^memory$/, memoryGoals],
  [/^micro$/, microGoals],
];

/** The additional CPU time of a request, in microseconds. */
const ADDED = {
  fastify: { 'ours-3': 10, 'ours-1pc': 2, disabled: 0.2 },
  express: { 'ours-3': 14, 'ours-1pc': 3.5, disabled: 0.2 },
};

function httpGoals({ checks, group, platform, rows }) {
  const row = (id) => rows.find((row) => row.id === id);
  const ours = row('ours-3');
  const instrumented = row('otel-http');
  return [
    ...Object.entries(ADDED[platform]).map(([id, limit]) =>
      atMost(`${group}: µs that it adds: ${row(id)?.title}`, limit, row(id)?.added),
    ),
    atMost(
      `${group}: what 3 spans add, against the one span of ${instrumented?.title}`,
      0.65,
      compareAdded(ours, instrumented),
    ),
    ...rows
      .filter(
        ({ id, peer, spansPerRequest }) => peer && spansPerRequest <= ours?.spansPerRequest && !id.endsWith('1pc'),
      )
      .map((peer) => atMost(`${group}: 3 spans, against ${peer.title}`, 1, compare(ours, peer))),
    checks.disabled && exactly(`${group}: files of the SDK that are loaded when disabled`, 0, checks.disabled.sdkFiles),
    atMost(`${group}: metrics, against the same without`, 1.1, compare(row('ours-metrics'), ours)),
  ];
}

function grpcGoals({ group, rows }) {
  const row = (id) => rows.find((row) => row.id === id);
  const ours = row('ours');
  return [
    atMost(`${group}: µs that it adds`, 15, ours?.added),
    ...rows.filter(({ peer }) => peer).map((peer) => atMost(`${group}: against ${peer.title}`, 1, compare(ours, peer))),
  ];
}

function latencyGoals({ figures, group }) {
  const ratios = figures['ours-3'].map(({ p99 }, round) => p99 / figures.bare[round].p99);
  return [atMost(`${group}: p99 with 3 spans, against bare`, 1.05, summary(ratios))];
}

function startupGoals({ group, starting }) {
  const added = (id) => starting.find((row) => row.id === id)?.added?.milliseconds;
  return [
    atMost(`${group}: ms until it listens that it adds`, 40, added('ours-3')),
    atMost(`${group}: ms until it listens that it adds, disabled`, 10, added('disabled')),
  ];
}

/** Compares the cost of an additional span among many with the cost among few. */
function linearityGoals({ figures, group }) {
  const added = (spans, round) => figures[spans].ours[round] - figures[spans].bare[round];
  const slope = (from, to, round) => (added(to, round) - added(from, round)) / (to - from);
  const ratios = figures[100].ours.map((_, round) => slope(50, 100, round) / slope(3, 50, round));
  const microseconds = figures[100].ours.map((_, round) => slope(3, 100, round));
  const perSecond = figures[100].ours.map((time) => (1e6 * 100) / time);
  return [
    atMost(`${group}: one of the spans from the 50th on, against one of those before`, 1.2, summary(ratios)),
    atMost(`${group}: µs for a further span, delivered`, 2, summary(microseconds)),
    atLeast(`${group}: spans that a core delivers in a second`, 500_000, summary(perSecond)),
  ];
}

/** The additional memory that an application may use, also while its backend is down, in MiB. */
const MEMORY_BOUND = 64;

function memoryGoals({ group, held }) {
  const row = (id, state) => held.find((row) => row.id === id && row.state === state);
  const bare = row('bare', 'up');
  return [
    atMost(`${group}: MiB of heap more than bare, after the load`, 5, single(row('ours-3', 'up').heap - bare.heap)),
    ...['up', 'down', 'silent'].map((state) =>
      atMost(
        `${group}: MiB more than bare at the highest with the backend ${state}`,
        MEMORY_BOUND,
        single(row('ours-3', state).peak - bare.peak),
      ),
    ),
  ];
}

function microGoals({ figures: { ours }, group }) {
  const added = ours['@Span() on a sync method'].map((time, round) => (time - ours['a sync method'][round]) / 1000);
  return [atMost(`${group}: µs that @Span() adds to a sync method`, 0.5, summary(added))];
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

/** Compares what two set-ups add to the bare one, round by round. */
function compareAdded(one, other) {
  if (!one || !other) return undefined;
  return summary(one.rounds.map(({ added }, round) => added / (other.rounds[round]?.added ?? Number.NaN)));
}

/** @param figure median and spread, or undefined if it was not measured */
export function atMost(goal, limit, figure) {
  if (!figure) return undefined;
  const { high, low, median } = figure;
  return { goal, limit, median, low, high, met: median <= limit, certain: high <= limit || low > limit };
}

export function atLeast(goal, limit, figure) {
  const { high, low, median } = figure;
  return {
    goal,
    limit,
    median,
    low,
    high,
    isLowerLimit: true,
    met: median >= limit,
    certain: low >= limit || high < limit,
  };
}

export function exactly(goal, limit, value) {
  return { goal, limit, median: value, low: value, high: value, met: value === limit, certain: true };
}
