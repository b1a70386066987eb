import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { groups } from '../groups/index.mjs';
import { Backend } from './backend.mjs';
import { checkNames } from './choose.mjs';
import { libraryTarball } from './library.mjs';
import { checkQuiet, commit, describeMachine } from './machine.mjs';
import { nodeOf } from './node.mjs';
import { judge } from './goals.mjs';
import { profile } from './profile.mjs';
import { clear, log } from './progress.mjs';
import { pinThisProcess } from './process.mjs';
import { markdown, printGoals, problemsOf } from './report.mjs';
import { Places } from './places.mjs';
import { bench as benchFolder } from './stage.mjs';

/** Runs the bench with these options. Returns the exit code. */
export async function bench(options) {
  const chosen = choose(options.only);
  checkNames(options.setups);
  const nodes = options.nodes.map(nodeOf);
  const load = checkQuiet();
  console.log('Building the library');
  const places = new Places({
    current: libraryTarball({ at: options.at, tarball: options.library }),
    against: options.against && libraryTarball(tarballOrCommit(options.against)),
  });
  pinThisProcess();
  const context = { ...options, names: options.setups, nodes: options.nodes, places, log };
  if (options.profile) return withBackend((backend) => profile({ ...context, backend, node: nodes[0] }, chosen[0]));

  const everything = chosen.length === groups.length && options.length === 'full' && !options.setups && options.peers;
  const output = options.output ?? join(benchFolder, 'results', everything || options.update ? 'latest' : 'partial');
  const results = {
    date: new Date().toISOString(),
    length: options.length,
    durations: options.durations,
    machine: describeMachine(),
    load,
    library: { version: places.libraryVersion(), commit: options.library ?? commit(options.at) },
    groups: options.update ? groupsBefore(output) : {},
  };
  for (const node of nodes) {
    for (const group of chosen) {
      await measureGroup(group, node, context, results);
      // Saved after each group, so that an aborted run leaves its results.
      save(results, output);
    }
  }
  return conclude(results, output);
}

async function measureGroup(group, node, context, results) {
  if (group.firstNodeOnly && node.major !== context.nodes[0]) return;
  const started = performance.now();
  const result = await attempt(() => withBackend((backend) => group.run({ ...context, backend, node })));
  clear();
  if (!result) return;
  const seconds = Math.round((performance.now() - started) / 1000);
  const key = `${group.name}, Node ${node.major}`;
  results.groups[key] = {
    group: group.name,
    node: node.version,
    date: new Date().toISOString(),
    library: results.library,
    seconds,
    ...result,
  };
  console.log(`\n${key}, ${seconds} s\n`);
  console.log(result.failed ?? group.render(result).join('\n'));
}

/** Returns the failure of a group as its result, so that the results of other groups are kept. */
async function attempt(measure) {
  try {
    return await measure();
  } catch (error) {
    return { failed: error.message };
  }
}

async function withBackend(use) {
  const backend = await Backend.start();
  try {
    return await use(backend);
  } finally {
    await backend.end();
  }
}

function choose(names) {
  if (!names) return groups;
  const unknown = names.find((name) => !groups.some((group) => group.name.startsWith(name)));
  if (unknown !== undefined) {
    throw new Error(`There is no group "${unknown}". Use some of: ${groups.map(({ name }) => name).join(', ')}.`);
  }
  return groups.filter((group) => names.some((name) => group.name.startsWith(name)));
}

function tarballOrCommit(text) {
  return existsSync(text) ? { tarball: text } : { at: text };
}

function groupsBefore(output) {
  const file = `${output}.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).groups : {};
}

function save(results, output) {
  // A smoke run only tests the bench, so its results are not saved.
  results.goals = results.length === 'smoke' ? [] : judge(results.groups);
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(`${output}.json`, `${JSON.stringify(results, rounded, 2)}\n`);
  writeFileSync(`${output}.md`, markdown(results));
}

/** Rounds numbers: the clocks are not exact enough for more digits, which would only enlarge the file. */
function rounded(_key, value) {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

function conclude(results, output) {
  console.log('');
  if (results.length !== 'smoke') printGoals(results.goals);
  const problems = problemsOf(results);
  for (const problem of problems) console.error(`Problem: ${problem}`);
  console.log(`\nWritten to ${output}.md and ${output}.json`);
  return problems.length > 0 ? 1 : 0;
}
