import { grpcSetups, httpSetups } from '../setups.mjs';
import { peerSetups } from './peers.mjs';

const peers = await peerSetups();
const all = [...httpSetups, ...grpcSetups, ...peers];

/** @throws Error if a name is not that of a set-up */
export function checkNames(names = []) {
  const unknown = names.find((name) => !all.some(({ id }) => id === name));
  if (unknown === undefined) return;
  const ids = [...new Set(all.map(({ id }) => id))];
  throw new Error(`There is no set-up "${unknown}". Use some of: ${ids.join(', ')}.`);
}

/** Returns the set-ups of a group that the options select. The bare one is always included. */
export function chooseHttp(platform, wanted) {
  const mine = peers.filter(({ apps = ['http'], platforms }) => apps.includes('http') && goesWith(platforms, platform));
  return choose([...httpSetups, ...mine], wanted);
}

/** Returns the set-ups with Nest 11, which have their own bare one. */
export function chooseClassic(platform, wanted) {
  const mine = peers.filter(({ apps, platforms }) => apps?.includes('classic') && goesWith(platforms, platform));
  return choose(mine, { ...wanted, peers: true });
}

export function chooseGrpc(side, kind, wanted) {
  const app = `grpc-${side}`;
  const mine = peers.filter(({ apps }) => apps?.includes(app));
  // For streams, core set-ups are enough: unary calls show all other differences.
  const known = kind === 'unary' || wanted.names ? [...grpcSetups, ...mine] : grpcSetups.filter(({ core }) => core);
  const here = known.map((setup) => Object.assign({}, setup, { spans: setup.spans?.[side] ?? setup.spans }));
  return choose(here, wanted);
}

function goesWith(platforms, platform) {
  return !platforms || platforms.includes(platform);
}

function choose(setups, { against, length, names, node, nodes, peers }) {
  const everything = node.major === nodes[0] && length !== 'smoke';
  const wanted = setups.filter(({ core, id, peer }) => {
    if (id === 'bare') return true;
    if (names) return names.includes(id);
    return (peers || !peer) && (core || everything);
  });
  if (!against) return wanted;
  // Each set-up of the library is measured with both versions, one after the other.
  return wanted.flatMap((setup) =>
    setup.setup === 'ours'
      ? [setup, { ...setup, id: `${setup.id}@against`, title: `${setup.title} (--against)`, variant: 'against' }]
      : [setup],
  );
}

/** @throws Error if a set-up does not support this version of Node */
export function checkNode({ minNode = 0 }, { major }) {
  if (Number(major) < minNode) throw new Error(`It needs Node ${minNode}.`);
}
