import { Server } from './server.mjs';
import { table } from './tables.mjs';

const SECONDS = 8;
/** The time between two samples, in microseconds. */
const INTERVAL = 200;
const SHOWN = 45;

/** Shows the functions and packages in which a set-up spends the time of a request. */
export async function profile(context, group) {
  const { backend, durations, node, places, profile: id } = context;
  if (!group.open) throw new Error(`The group ${group.name} has no set-ups to look into.`);
  const setups = group.setups({ ...context, names: undefined, peers: true });
  const setup = setups.find((setup) => setup.id === id);
  if (!setup) throw new Error(`There is no set-up "${id}" here. Use one of: ${setups.map(({ id }) => id).join(', ')}.`);
  const { close, place, work } = await group.open(context);
  const folder = places.of(setup);
  const server = await Server.start(setup, { backend, node: node.path, folder, ...place });
  await work(server, durations.warmUp);
  await server.ask('profile-start', INTERVAL);
  const { microseconds, requests } = await server.measure(() => work(server, SECONDS * 1000));
  const recorded = await server.ask('profile-stop');
  await Promise.all([server.end(), close()]);

  const { functions, packages, total } = selfTimes(recorded, folder);
  console.log(
    `${setup.title}, ${group.title}, Node ${node.version}: ${requests} requests, ${microseconds.toFixed(1)} µs of CPU time each while being profiled\n`,
  );
  const rows = (times, count) =>
    [...times]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, time]) => [`${((100 * time) / total).toFixed(1)} %`, (time / requests).toFixed(2), name]);
  console.log(table(['self', 'µs/request', 'package'], rows(packages, 20)).join('\n'));
  console.log('');
  console.log(table(['self', 'µs/request', 'function'], rows(functions, SHOWN)).join('\n'));
  return 0;
}

/** Adds up the time of the samples by function, and by the package of the function. */
function selfTimes({ nodes, samples, timeDeltas }, folder) {
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const parents = new Map(nodes.flatMap(({ children = [], id }) => children.map((child) => [child, id])));
  const functions = new Map();
  const packages = new Map();
  let total = 0;
  samples.forEach((id, at) => {
    const { functionName } = frames.get(id);
    if (functionName === '(idle)') return;
    const time = timeDeltas[at];
    total += time;
    // Functions of the engine are only meaningful together with their caller.
    let caller = id;
    while (frames.get(caller).url === '' && parents.has(caller)) caller = parents.get(caller);
    const { functionName: callerName, lineNumber, url } = frames.get(caller);
    const place = url && `${shorten(url, folder)}:${lineNumber + 1}`;
    const name = [functionName || '(anonymous)', caller !== id && url && `< ${callerName}`, place]
      .filter(Boolean)
      .join(' ');
    functions.set(name, (functions.get(name) ?? 0) + time);
    const owner = packageOf(url, functionName, folder);
    packages.set(owner, (packages.get(owner) ?? 0) + time);
  });
  return { functions, packages, total };
}

function shorten(url, folder) {
  return url
    .replace(/^file:\/\//, '')
    .replace(`${folder}/`, '')
    .replace(/^.*node_modules\//, '');
}

function packageOf(url, functionName, folder) {
  const inside = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (inside) return inside[1];
  if (url.startsWith('node:')) return 'node';
  if (url.includes(folder)) return 'the application';
  return functionName.startsWith('(') ? functionName : 'native';
}
