import { checkNode } from './choose.mjs';
import { reasonOf } from './reason.mjs';
import { rowsOf, runRounds } from './rounds.mjs';
import { Server } from './server.mjs';

/**
 * Measures the set-ups of a group in turn, with the bare one between them. All their processes live as long as a generation,
 * and wait while another one is measured.
 */
export async function measureSetups(context, group) {
  const { close, place, work } = await group.open(context);
  try {
    return await measure(context, group.setups(context), place, work);
  } finally {
    await close();
  }
}

async function measure({ backend, durations, log, node, places }, setups, place, work) {
  const skipped = [];
  const checks = {};
  const allFigures = new Map();
  let running = setups;
  for (let generation = 0; generation < durations.generations; generation++) {
    // Peers are started only once: there are many, and no goal depends on small differences between them.
    const starting = running.filter(({ peer }) => generation === 0 || !peer);
    const servers = new Map();
    const slice = (id, milliseconds) => {
      const server = servers.get(id);
      return server.measure(() => work(server, milliseconds));
    };
    try {
      for (const setup of starting) {
        log(`start ${generation + 1}: ${setup.id}`);
        try {
          checkNode(setup, node);
          const server = await Server.start(setup, { backend, node: node.path, folder: places.of(setup), ...place });
          servers.set(setup.id, server);
          checks[setup.id] = await warmUp(server, () => slice(setup.id, durations.warmUp));
        } catch (error) {
          if (setup.id === 'bare') throw error;
          await servers.get(setup.id)?.end();
          servers.delete(setup.id);
          skipped.push({ id: setup.id, title: setup.title, reason: reasonOf(error) });
        }
      }
      running = running.filter((setup) => servers.has(setup.id) || !starting.includes(setup));
      const figures = await runRounds({
        setups: starting.filter(({ id }) => servers.has(id)),
        rounds: durations.rounds,
        measure: (id) => slice(id, durations.slice),
        onSlice: (id, round) => log(`start ${generation + 1}, round ${round + 1}: ${id}`),
      });
      for (const [id, slices] of figures) allFigures.set(id, [...(allFigures.get(id) ?? []), ...slices]);
    } finally {
      await Promise.all([...servers.values()].map((server) => server.end()));
    }
  }
  const rows = rowsOf(running, allFigures, (setup) => places.versions(setup, setup.packages));
  return { rows, skipped, checks, problems: differences(checks) };
}

/** Reports if the library and the floor make different spans: a comparison would then be meaningless. */
function differences(checks) {
  return [
    ['ours-3', 'floor-3'],
    ['ours-1', 'floor-1'],
    ['ours', 'floor'],
  ]
    .filter(([one, other]) => checks[one] && checks[other])
    .filter(([one, other]) => checks[one].sorts.join('\n') !== checks[other].sorts.join('\n'))
    .map(([one, other]) => `${one} and ${other} make different spans: see "checks" in the JSON file`);
}

/** Runs until the code is optimized. Also returns the sorts of spans that arrive, and how many files of the SDK are loaded. */
async function warmUp(server, slice) {
  await server.backend.describeSpans();
  const { non2xx, requests } = await slice();
  if (requests === 0 || non2xx === requests) throw new Error('It responds to no request.');
  const { others, sorts } = await server.backend.describeSpans();
  const loaded = await server.ask('loaded');
  return { sorts, others, sdkFiles: loaded.length };
}
