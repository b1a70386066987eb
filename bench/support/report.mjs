import { groups as allGroups } from '../groups/index.mjs';
import { spread, table } from './tables.mjs';

/** If other processes use more of the server's core, or the bare slices vary more than this, results are doubtful. */
const FOREIGN_SHARE = 0.05;
const BARE_SPREAD = 0.1;

/** Renders the results as a Markdown page. */
export function markdown(results) {
  const { durations, goals, library, machine, load } = results;
  const lines = [
    '# What tracing costs',
    '',
    `${results.date.slice(0, 10)}, nestjs-tracing ${library.version} (${library.commit}), ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}. Load of the machine before the start: ${load.toFixed(2)}.`,
    '',
    `CPU time of the server's process per request, its spans delivered included. Each figure is the median, with the interquartile range, of ${durations.generations} × ${durations.rounds} slices of ${durations.slice} ms; each ratio is to slices of the same application without tracing just before and after. ${machine.pinned ? 'The server has a core to itself, the load generator and the sink have another.' : 'The processes were not kept to cores of their own, so the figures are rough.'} [How it is done](../README.md).`,
  ];
  for (const [key, result] of Object.entries(results.groups)) {
    const group = allGroups.find(({ name }) => name === result.group);
    lines.push('', `## ${group.title}, Node ${result.node.slice(1)}`, '');
    if (result.failed) {
      lines.push(`Not measured: ${result.failed}`);
      continue;
    }
    if (result.versions) lines.push(`${versionText(result.versions)}.`, '');
    lines.push(...group.render(result));
    const doubts = doubtsOf(result);
    if (doubts.length > 0) lines.push('', ...doubts);
    const problems = problemsOfGroup(key, result);
    if (problems.length > 0) lines.push('', ...problems.map((problem) => `Problem: ${problem}`));
  }
  if (goals.length > 0) lines.push('', '## Goals', '', ...goalTable(goals));
  return `${lines.join('\n')}\n`;
}

function versionText(versions) {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

function goalTable(goals) {
  return table(
    ['goal', 'limit', 'measured', 'verdict'],
    goals.map((goal) => [goal.goal, `${goal.isLowerLimit ? '≥' : '≤'} ${goal.limit}`, measured(goal), verdict(goal)]),
  );
}

function measured(goal) {
  return goal.low === goal.high ? String(goal.median) : spread(goal);
}

function verdict({ certain, met }) {
  return `${met ? 'met' : '**missed**'}${certain ? '' : ', within the spread'}`;
}

export function printGoals(goals) {
  if (goals.length === 0) {
    console.log('No goal was judged: they are for Node 24, and each needs certain set-ups.');
    return;
  }
  console.log(goalTable(goals).join('\n'));
  const missed = goals.filter(({ met }) => !met).length;
  console.log(`\n${goals.length - missed} goals met, ${missed} missed`);
}

/** The problems that make results invalid. Bad results are no problem. */
export function problemsOf({ groups }) {
  return Object.entries(groups).flatMap(([key, result]) => problemsOfGroup(key, result));
}

function problemsOfGroup(key, { failed, problems = [], rows = [] }) {
  if (failed) return [`${key}: ${failed}`];
  return [...problems.map((problem) => `${key}: ${problem}`), ...rowProblems(key, rows)];
}

function rowProblems(key, rows) {
  return rows.flatMap(({ problems = [], title }) => problems.map((problem) => `${key}: ${title}: ${problem}`));
}

/** The reasons to doubt results: other busy processes, or a server that waited for the load generator. */
function doubtsOf({ rows = [] }) {
  const bare = rows.find(({ id }) => id === 'bare');
  if (!bare?.microseconds) return [];
  const { high, low, median } = bare.microseconds;
  const doubts = [];
  if ((high - low) / median > BARE_SPREAD) {
    doubts.push(`Doubtful: the bare application itself took between ${low.toFixed(1)} and ${high.toFixed(1)} µs.`);
  }
  const foreign = Math.max(...rows.map(({ foreign }) => foreign?.median ?? 0));
  if (foreign > FOREIGN_SHARE) {
    doubts.push(`Doubtful: other processes used up to ${Math.round(foreign * 100)} % of the server's core.`);
  }
  if (bare.utilization && bare.utilization.median < 0.9) {
    doubts.push(`The bare application was busy for only ${Math.round(bare.utilization.median * 100)} % of the time.`);
  }
  return doubts;
}
