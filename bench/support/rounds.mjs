import { coreBusy } from './machine.mjs';
import { summary } from './statistics.mjs';

/** The deviation from the sampling ratio that is accepted, in standard deviations. */
const CHANCE = 6;

/**
 * Returns the order of a round. The bare application is next to every other set-up, so that each result is a ratio to a
 * neighbouring slice. Every second round is reversed, so that a drift of the machine affects all set-ups equally.
 */
export function orderOf(others, round) {
  const sequence = round % 2 === 0 ? others : others.toReversed();
  const order = ['bare'];
  for (let at = 0; at < sequence.length; at += 2) order.push(...sequence.slice(at, at + 2), 'bare');
  return order;
}

/** Compares each slice with the nearest bare slices before and after it. */
export function pair(slices) {
  const bareAt = slices.flatMap(({ id }, at) => (id === 'bare' ? [at] : []));
  return slices.flatMap((slice, at) => {
    if (slice.id === 'bare') return [];
    const before = slices[bareAt.findLast((bare) => bare < at)];
    const after = slices[bareAt.find((bare) => bare > at)];
    const bare = (before.microseconds + after.microseconds) / 2;
    return [{ ...slice, bare, ratio: slice.microseconds / bare, added: slice.microseconds - bare }];
  });
}

/** Runs rounds of slices. Returns the results of each round by set-up. */
export async function runRounds({ measure, onSlice, rounds, setups }) {
  const others = setups.map(({ id }) => id).filter((id) => id !== 'bare');
  const figures = new Map(setups.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    const slices = [];
    for (const id of orderOf(others, round)) {
      const busyBefore = coreBusy();
      const started = performance.now();
      const slice = await measure(id);
      const elapsed = (performance.now() - started) * 1000;
      const busy = coreBusy() - busyBefore;
      const foreign = Math.max(0, (busy - slice.microseconds * slice.requests) / elapsed);
      slices.push({ id, ...slice, foreign });
      onSlice?.(id, round);
    }
    for (const slice of slices.filter(({ id }) => id === 'bare'))
      figures.get('bare').push({ ...slice, ratio: 1, added: 0 });
    for (const slice of pair(slices)) figures.get(slice.id).push({ ...slice, round });
  }
  return figures;
}

/** Returns the rows of a table: medians, spreads, and the problems of each set-up. */
export function rowsOf(setups, figures, versionsOf) {
  return setups.map((setup) => {
    const slices = figures.get(setup.id);
    const requests = total(slices, 'requests');
    const spans = total(slices, 'spans');
    return {
      id: setup.id,
      title: setup.title,
      ...(setup.peer && { peer: true }),
      versions: versionsOf(setup),
      spansWanted: setup.spans,
      spansPerRequest: spans / requests,
      requests,
      microseconds: summary(slices.map(({ microseconds }) => microseconds)),
      ratio: summary(slices.map(({ ratio }) => ratio)),
      added: summary(slices.map(({ added }) => added)),
      utilization: summary(slices.map(({ utilization }) => utilization)),
      foreign: summary(slices.map(({ foreign }) => foreign)),
      // Goals compare two set-ups round by round.
      rounds: slices.map(({ added, microseconds, ratio }) => ({ ratio, added, microseconds })),
      problems: problemsOf(setup, { requests, spans, non2xx: total(slices, 'non2xx') }),
    };
  });
}

function problemsOf({ spans: wanted }, { non2xx, requests, spans }) {
  const problems = [];
  if (wanted === undefined && spans === 0) problems.push('no span arrived');
  if (non2xx > 0) problems.push(`${non2xx} responses were not 2xx`);
  if (Number.isInteger(wanted) && spans !== wanted * requests) {
    problems.push(`${spans} spans arrived of ${wanted * requests}`);
  }
  if (wanted !== undefined && !Number.isInteger(wanted)) {
    // A trace is kept or dropped as a whole: its number of spans scales the deviation.
    const perTrace = wanted >= 0.02 ? 3 : 1;
    const deviation = perTrace * Math.sqrt(requests * 0.01 * 0.99);
    if (Math.abs(spans - wanted * requests) > CHANCE * deviation) {
      problems.push(`${spans} spans arrived of about ${Math.round(wanted * requests)}`);
    }
  }
  return problems;
}

function total(slices, key) {
  return slices.reduce((sum, slice) => sum + slice[key], 0);
}
